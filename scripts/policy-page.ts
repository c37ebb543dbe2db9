/** docs/write-a-policy.md as data: its examples, what it says of each, and callers that are what its tables call them. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Credentials } from "@blindbox/client";
import { authority, clientOf } from "../packages/enclave/test/client-certificates.ts";
import { aliceKey, bobKey, digestOf } from "../packages/enclave/test/gateway-fixture.ts";
import { issuerKey, token } from "../packages/enclave/test/token-issuer.ts";
import { codeBlocks } from "./check-docs.ts";

export const policyPage: string = readFileSync(
  fileURLToPath(new URL("../docs/write-a-policy.md", import.meta.url)),
  "utf8",
);

/** One row of a table of calls. */
export interface Call {
  readonly who: string;
  readonly method: string;
  readonly path: string;
  readonly contentType: string | null;
  readonly status: number;
}

/** One row of a table of ways out. */
export interface WayOut {
  readonly method: string;
  readonly url: URL;
  readonly isLetOut: boolean;
}

/** What a command prints, among other lines. */
export interface Printed {
  readonly args: readonly string[];
  readonly lines: readonly string[];
}

/** One of the complete examples, with all that the page says of it. */
export interface Example {
  readonly title: string;
  readonly yaml: string;
  readonly calls: readonly Call[];
  readonly waysOut: readonly WayOut[];
  readonly printed: readonly Printed[];
}

/** The sections of a page whose headings begin with a number. */
export function policyExamples(): readonly Example[] {
  const sections = policyPage.split(/^## /m).filter((section) => /^\d\. /.test(section));
  return sections.map((text) => {
    const blocks = codeBlocks("", text);
    const rows = text.split("\n").filter((line) => /^\|(?! who calls| the app asks|-)/.test(line));
    const cells = rows.map((row) =>
      row
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
    return {
      title: text.split("\n")[0] ?? "",
      yaml: blocks.find(({ language }) => language === "yaml")?.code ?? "",
      calls: cells.filter(({ length }) => length === 3).map(readCall),
      waysOut: cells.filter(({ length }) => length === 2).map(readWayOut),
      printed: blocks.filter(({ language }) => language === "text").map(({ code }) => readPrinted(code)),
    };
  });
}

function readCall([who = "", call = "", status = ""]: readonly string[]): Call {
  const [, method, path, contentType] = /^`([A-Z]+) (\/\S*)`(?: as `(\S+)`)?$/.exec(call) ?? [];
  if (method === undefined || path === undefined || !/^\d{3}$/.test(status))
    throw new Error(`no call: ${call} ${status}`);
  return { who, method, path, contentType: contentType ?? null, status: Number(status) };
}

function readWayOut([request = "", answer = ""]: readonly string[]): WayOut {
  const [, method, url] = /^`([A-Z]+) (https:\S+)`$/.exec(request) ?? [];
  if (method === undefined || url === undefined || !/^(yes|no)$/.test(answer))
    throw new Error(`no way out: ${request}`);
  return { method, url: new URL(url), isLetOut: answer === "yes" };
}

function readPrinted(code: string): Printed {
  const [command = "", ...lines] = code.trim().split("\n");
  if (!command.startsWith("$ blindbox ")) throw new Error(`no command: ${command}`);
  return { args: command.split(" ").slice(2), lines };
}

/** Keys of the tests in place of those of the page, and everybody who stands in its tables. */
export interface Cast {
  /** The example as it stands, but for the keys. */
  withKeys(yaml: string): string;
  /** The credentials of whom a table calls so; undefined for whom nobody plays. */
  credentialsOf(who: string): Credentials | undefined;
}

const host = "spiffe://acme.example/etl";

export async function policyCast(): Promise<Cast> {
  const [acme, namesake] = await Promise.all([authority("Acme CA"), authority("Acme CA")]);
  const certificates = {
    "the host's certificate": await clientOf(acme, { uri: host }),
    "the certificate of another host of that authority": await clientOf(acme, { uri: `${host}-2` }),
    "a certificate of that name from another authority": await clientOf(namesake, { uri: host }),
  };
  const signer = issuerKey("EdDSA");
  const others: Readonly<Record<string, Credentials>> = {
    ...keyHolders(),
    ...tokenHolders(signer),
    ...Object.fromEntries(Object.entries(certificates).map(([who, certificate]) => [who, { certificate }])),
  };
  const keys: readonly (readonly [string, string])[] = [
    ["sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", digestOf(aliceKey)],
    ["sha256:5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9", digestOf(bobKey)],
    ["sha256:2b4c1bd4dd0bb4f0c2f7d1a8d0f2b4f3c5a6e7d8091a2b3c4d5e6f708192a3b4", acme.spki],
    ["11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", String(signer.jwk["x"])],
  ];
  return {
    withKeys: (yaml) => keys.reduce((text, [shown, own]) => text.replaceAll(shown, own), yaml),
    credentialsOf: (who) => others[who],
  };
}

function keyHolders(): Readonly<Record<string, Credentials>> {
  const strange = `bb_${randomBytes(32).toString("base64url")}`;
  return {
    nobody: { anonymous: true },
    "the batch job's key": { apiKey: aliceKey },
    "another key": { apiKey: strange },
    "a key that belongs to nobody": { apiKey: strange },
    "the key alone": { apiKey: aliceKey },
    "the auditor's key": { apiKey: bobKey },
  };
}

function tokenHolders(signer: ReturnType<typeof issuerKey>): Readonly<Record<string, Credentials>> {
  const now = Math.floor(Date.now() / 1000);
  const iss = "https://idp.acme.example";
  const clinician = { iss, aud: "cases", azp: "console", groups: ["everybody", "clinicians"] };
  const forCases = (claims: Readonly<Record<string, unknown>>, by = signer): Credentials => ({
    token: token(by, { claims: { ...clinician, ...claims } }),
  });
  const forNotes = token(signer, { claims: { iss, aud: "notes", scope: "openid notes" } });
  const withoutScope = token(signer, { claims: { iss, aud: "notes", scope: "openid notebooks" } });
  return {
    "a clinician's token": forCases({}),
    "the token of a clinician who is an administrator too": forCases({ groups: ["clinicians", "administrators"] }),
    "the token of somebody in neither group": forCases({ groups: ["everybody", "clinicians-2"] }),
    "a clinician's token for another program": forCases({ aud: "billing" }),
    "a clinician's token that lives for a day": forCases({ exp: now + 86_400 }),
    "a clinician's token that has ended": forCases({ iat: now - 3000, exp: now - 100 }),
    "a token that somebody else signed": forCases({}, issuerKey("EdDSA")),
    "the key and a token": { apiKey: aliceKey, token: forNotes },
    "a token alone": { token: forNotes },
    "the key and a token without that scope": { apiKey: aliceKey, token: withoutScope },
    "the auditor's key and a token": { apiKey: bobKey, token: forNotes },
  };
}
