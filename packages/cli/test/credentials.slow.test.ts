/** Tokens and certificates on the command line, at the doors of a real box. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatLedger, ledgerOrigin } from "@blindbox/attestation";
import { formatSha256 } from "@blindbox/encoding";
import { formatRelease } from "@blindbox/release";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { manifestFor, type RealBox, startRealBox } from "../../client/test/real-box.ts";
import { authority, type ClientIdentity, clientOf } from "../../enclave/test/client-certificates.ts";
import { aliceKey, bobKey, digestOf } from "../../enclave/test/gateway-fixture.ts";
import { issuerKey, termsOf, token } from "../../enclave/test/token-issuer.ts";
import { blindbox, emptyDirectory, type Run } from "./command.ts";

const signer = issuerKey("ES256");

let host: ClientIdentity;
let box: RealBox;

beforeAll(async () => {
  const acme = await authority("Acme CA");
  host = await clientOf(acme);
  const jwt = termsOf([signer]);
  const certificate = { issuer: acme.spki, subject: "any", san: null } as const;
  const manifest = manifestFor([
    { id: "key", apiKey: digestOf(aliceKey), audit: false },
    { id: "token", jwt, audit: false },
    { id: "host", certificate, audit: false },
    { id: "auditor", allOf: [{ apiKey: digestOf(bobKey) }, { jwt }, { certificate }], audit: true },
  ]);
  const head = formatSha256(await ledgerOrigin());
  const ledger = formatLedger({ start: head, first: 0, records: [], head });
  box = await startRealBox(manifest, { ledger: () => ledger, ledgerHead: () => head });
});

afterAll(() => box[Symbol.asyncDispose]());

beforeEach(() => {
  box.app.seen.length = 0;
});

/** Files with everything that a caller can have. */
function workplace(): string {
  const cwd = emptyDirectory();
  const files = {
    "release.json": formatRelease(box.world.release),
    "root.pem": box.world.vendor.rootPem,
    "alice.txt": `${aliceKey}\n`,
    "bob.txt": bobKey,
    "token.txt": `${token(signer)}\n`,
    "host.pem": host.cert,
    "host.key": host.key,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  return cwd;
}

function typed(words: readonly string[], flags: readonly string[], options = {}): Promise<Run> {
  const accepted = ["--release", "release.json", "--manifest", box.world.manifestDigest, "--simulated=root.pem"];
  return blindbox([...words, ...accepted, ...flags], { cwd: workplace(), ...options });
}

const certificate = ["--cert", "host.pem", "--cert-key", "host.key"];

describe("blindbox request", () => {
  test("sends a token from a file, or from the standard input", async () => {
    const url = `${box.url}/token`;
    for (const [file, input] of [
      ["token.txt", ""],
      ["-", `${token(signer)}\n`],
    ] as const) {
      const { code, stdout, stderr } = await typed(["request", "GET", url], ["--token-file", file, "-f"], { input });
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "ok", stderr: "" });
    }
    expect(box.app.seen.map(({ rawHeaders }) => rawHeaders.slice(-2))).toEqual([
      ["x-blindbox-principal", "token"],
      ["x-blindbox-principal", "token"],
    ]);
  });

  test("shows a certificate at the port that asks for one", async () => {
    const { code, stdout, stderr } = await typed(["request", "GET", `${box.mutualUrl}/host`], [...certificate, "-f"]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "ok", stderr: "" });
  });

  test("sends what flags name and no key of the environment beside it", async () => {
    const env = { BLINDBOX_API_KEY: aliceKey };
    const withFile = await typed(["request", "GET", `${box.url}/token`], ["--token-file", "token.txt", "-f"], { env });
    expect(withFile.code).toBe(0);
    const without = await typed(["request", "GET", `${box.url}/key`], ["-f"], { env });
    expect(without.code).toBe(0);
  });

  test("is refused by the box with half of what it asks for", async () => {
    const { code } = await typed(["request", "GET", `${box.mutualUrl}/auditor`], [...certificate, "-f"]);
    expect(code).toBe(6);
    expect(box.app.seen).toEqual([]);
  });

  test.each<[readonly string[], string]>([
    [["--token-file", "alice.txt"], "error: alice.txt: expected a JWT alone on one line"],
    [["--token-file", "missing.txt"], "error: missing.txt: expected a file with a token, got no such file"],
    [["--token-file", "token.txt", "--anonymous"], "got --anonymous and a credential"],
    [["--token-file", "-", "--key-file", "-"], "error: the standard input: expected to be read once"],
    [["--cert", "host.pem"], "error: --cert: expected --cert-key FILE beside it, got it alone"],
    [["--cert-key", "host.key"], "error: --cert-key: expected --cert FILE beside it, got it alone"],
    [["--cert", "host.key", "--cert-key", "host.key"], "--cert must be certificates in PEM"],
    [["--cert", "host.pem", "--cert-key", "host.pem"], "--cert-key must be one private key in PEM"],
    [["--cert", "host.pem", "--cert-key", "other.key"], "error: other.key: expected a file with a private key"],
    [["--token", "e.y.J"], "error: --token: expected --token-file FILE, got a token on the command line"],
  ])("%j is refused before anything is sent, and says nothing of the content", async (flags, text) => {
    const { code, stdout, stderr } = await typed(["request", "GET", `${box.url}/token`], flags);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(text);
    expect(stderr).toMatch(/^error: .+\nhint: .+\n$/);
    for (const secret of [aliceKey.slice(3), "eyJ", host.key.slice(40, 80)]) expect(stderr).not.toContain(secret);
    expect(box.app.seen).toEqual([]);
  });
});

describe("blindbox audit", () => {
  const all = ["--key-file", "bob.txt", "--token-file", "token.txt", ...certificate];

  test("shows who asked, to an auditor that is known by key, token and certificate together", async () => {
    await typed(["request", "GET", `${box.url}/key`], ["--key-file", "alice.txt"]);
    const { code, stdout, stderr } = await typed(["audit", `${box.mutualUrl}`], all);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/ key +0 +GET +\/key +answered +200 +0 +2$/m);
    expect(stdout).toMatch(/unbroken chains, and the ones that were attested: /);
    const json = await typed(["audit", `${box.mutualUrl}`], [...all, "--json"]);
    const parsed = JSON.parse(json.stdout) as { readonly accessLog: { readonly records: readonly unknown[] } };
    expect(parsed).toMatchObject({ verified: true, differences: [], ledger: { records: [] } });
    expect(parsed.accessLog.records.length).toBeGreaterThan(0);
  });

  test.each([
    [["--key-file", "alice.txt"], "status 403"],
    [["--key-file", "bob.txt"], "status 401"],
  ])("shows nothing to %j", async (flags, text) => {
    const { code, stdout, stderr } = await typed(["audit", box.url], flags);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(text);
  });
});
