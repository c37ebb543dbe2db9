/** Reading of who the caller is. No complaint repeats a value: nearly all of them are secrets. */
import { isApiKey } from "@blindbox/manifest";
import { isToken } from "../request/token.ts";
import { readMembers, wrong } from "./members.ts";
import type { ClientCertificate, TokenSource } from "./options.ts";

/** {@link Credentials} after every check. All null: an anonymous caller. */
export interface CheckedCredentials {
  readonly apiKey: string | null;
  readonly token: TokenSource | null;
  readonly certificate: ClientCertificate | null;
}

const path = "options.credentials";
const kinds = ["apiKey", "token", "certificate"];

const nobody: CheckedCredentials = { apiKey: null, token: null, certificate: null };

/** Chains of a dozen certificates are shorter. */
const maxPem = 65_536;

/** @throws TypeError naming the member that is missing, unknown or wrong. */
export function readCredentials(value: unknown): CheckedCredentials {
  const members = readMembers(value, path, { required: [], optional: [...kinds, "anonymous"] });
  const { anonymous } = members;
  const given = kinds.filter((kind) => members[kind] !== undefined);
  if (given.length > 0 === (anonymous !== undefined)) {
    throw wrong(path, "one or more of apiKey, token and certificate, or { anonymous: true } alone");
  }
  if (anonymous === true) return nobody;
  if (anonymous !== undefined) throw wrong(`${path}.anonymous`, "true");
  return {
    apiKey: readApiKey(members["apiKey"]),
    token: readToken(members["token"]),
    certificate: readCertificate(members["certificate"]),
  };
}

function readApiKey(value: unknown): string | null {
  if (value === undefined) return null;
  if (typeof value === "string" && isApiKey(value)) return value;
  throw wrong(`${path}.apiKey`, "bb_ and 43 base64url characters");
}

function readToken(value: unknown): TokenSource | null {
  if (value === undefined) return null;
  if (typeof value === "function") return value as () => string | Promise<string>;
  if (typeof value === "string" && isToken(value)) return value;
  throw wrong(`${path}.token`, "a JWT in compact form, or a function that returns one");
}

function readCertificate(value: unknown): ClientCertificate | null {
  if (value === undefined) return null;
  const at = `${path}.certificate`;
  const { key, cert } = readMembers(value, at, { required: ["key", "cert"], optional: [] });
  if (!isPem(key) || blocksOf(key).filter((label) => label.endsWith("PRIVATE KEY")).length !== 1) {
    throw wrong(`${at}.key`, "one private key in PEM");
  }
  if (/ENCRYPTED/.test(key)) throw wrong(`${at}.key`, "a private key that is not encrypted");
  if (!isPem(cert) || blocksOf(cert).some((label) => label !== "CERTIFICATE")) {
    throw wrong(`${at}.cert`, "certificates in PEM, and nothing else");
  }
  if (blocksOf(cert).length < 2) {
    throw wrong(`${at}.cert`, "the certificate and behind it that of its issuer, without which a box refuses it");
  }
  return { key, cert };
}

function isPem(value: unknown): value is string {
  return typeof value === "string" && value.length <= maxPem && blocksOf(value).length > 0;
}

function blocksOf(pem: string): string[] {
  return [...pem.matchAll(/^-----BEGIN ([A-Z0-9 ]{1,40})-----\r?$/gm)].map(([, label = ""]) => label);
}
