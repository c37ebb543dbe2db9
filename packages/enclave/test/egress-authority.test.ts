import { execFileSync, spawn, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Authority, createAuthority } from "../src/egress/tls/authority.ts";
import { nameConstraints } from "../src/egress/tls/name-constraints.ts";
import { openTls } from "./fixtures-egress/app.ts";

const has = (program: string, ...args: string[]): boolean => spawnSync(program, args).status === 0;
const openssl = has("openssl", "version");
const python = has("python3", "-c", "import ssl");
const without = (there: boolean, what: string): string => (there ? "" : ` (skipped: needs ${what})`);

let authority: Authority;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "blindbox-authority-"));
  authority = await createAuthority(["api.example.com", "*.wild.example"], Date.now());
  writeFileSync(join(folder, "ca.pem"), authority.certificate);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Serves TLS as `name` by what the authority mints for it, until the test is over. */
async function serveAs(name: string): Promise<{ port: number; close: () => void }> {
  const secureContext = await authority.context(name);
  const server = createServer((socket) => {
    const tls = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ["http/1.1"] });
    tls.on("error", () => {}).resume();
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

const allowed = ["api.example.com", "below.api.example.com", "a.wild.example"];
const forbidden = ["example.com", "other.example.com", "xapi.example.com", "forbidden.test", "wild.example.evil"];

describe("the per-boot authority", () => {
  it("says critically that it is an authority for leaves of these names alone", () => {
    const certificate = new X509Certificate(authority.certificate);
    expect(certificate.ca).toBe(true);
    expect(certificate.checkIssued(certificate)).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
  });

  it("is different in each boot", async () => {
    const other = await createAuthority(["api.example.com"], Date.now());
    expect(new X509Certificate(other.certificate).publicKey.export({ format: "pem", type: "spki" })).not.toEqual(
      new X509Certificate(authority.certificate).publicKey.export({ format: "pem", type: "spki" }),
    );
  });

  it("refuses to be made for no name, since an empty list would permit every name", async () => {
    await expect(createAuthority([], Date.now())).rejects.toThrow(TypeError);
  });

  it("is valid where the host's clock is a day late or years early", async () => {
    const { validFrom, validTo } = new X509Certificate(authority.certificate);
    expect(Date.parse(validFrom)).toBeLessThan(Date.now() - 80_000_000);
    expect(Date.parse(validTo)).toBeGreaterThan(Date.now() + 3000 * 86_400_000);
  });

  it("keeps one context a name, and forgets the one that was not asked for the longest", async () => {
    const first = await authority.context("n0.wild.example");
    expect(await authority.context("n0.wild.example")).toBe(first);
    for (let at = 1; at <= 256; at += 1) await authority.context(`n${at}.wild.example`);
    expect(await authority.context("n0.wild.example")).not.toBe(first);
  });

  it.each(allowed)("is accepted by Node for %s", async (name) => {
    const server = await serveAs(name);
    const socket = await openTls(server.port, authority.certificate, { servername: name });
    expect([socket.authorized, socket.alpnProtocol]).toEqual([true, "http/1.1"]);
    socket.destroy();
    server.close();
  });

  it.each(forbidden)("is refused by Node for %s, because of the constraint", async (name) => {
    const server = await serveAs(name);
    await expect(openTls(server.port, authority.certificate, { servername: name })).rejects.toThrow(
      "permitted subtree violation",
    );
    server.close();
  });

  it("resumes no session", async () => {
    const server = await serveAs("api.example.com");
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const options = { servername: "api.example.com", maxVersion };
      const first = await openTls(server.port, authority.certificate, options);
      const session = first.getSession();
      first.destroy();
      const second = await openTls(server.port, authority.certificate, {
        ...options,
        ...(session === undefined ? {} : { session }),
      });
      expect(second.isSessionReused()).toBe(false);
      second.destroy();
    }
    server.close();
  });

  it("speaks no TLS below 1.2", async () => {
    const server = await serveAs("api.example.com");
    const old = { servername: "api.example.com", minVersion: "TLSv1", maxVersion: "TLSv1.1" } as const;
    await expect(
      openTls(server.port, authority.certificate, { ...old, ciphers: "DEFAULT@SECLEVEL=0" }),
    ).rejects.toThrow();
    server.close();
  });

  it("writes constraints longer than one byte of length can say", () => {
    const hosts = Array.from({ length: 600 }, (_, at) => `${"a".repeat(60)}.${"b".repeat(60)}.n${at}.example`);
    const der = nameConstraints(hosts);
    expect([...der.subarray(0, 2)]).toEqual([0x30, 0x83]);
    expect(Buffer.from(der).readUIntBE(2, 3)).toBe(der.length - 5);
  });
});

describe.skipIf(!openssl)(`OpenSSL${without(openssl, "openssl")}`, () => {
  const verify = async (name: string): Promise<{ ok: boolean; output: string }> => {
    const leaf = join(folder, `${name}.pem`);
    writeFileSync(leaf, (await authority.mint(name)).certificate);
    const args = ["verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", name];
    const { status, stdout, stderr } = spawnSync("openssl", [...args, "-CAfile", join(folder, "ca.pem"), leaf], {
      encoding: "utf8",
    });
    return { ok: status === 0, output: `${stdout}${stderr}` };
  };

  it.each(allowed)("accepts a certificate for %s, by its strictest reading", async (name) => {
    expect(await verify(name)).toMatchObject({ ok: true });
  });

  it.each(forbidden)("refuses a certificate for %s, because of the constraint", async (name) => {
    const { ok, output } = await verify(name);
    expect([ok, output.includes("permitted subtree violation")]).toEqual([false, true]);
  });

  it("shows what must be critical as critical", () => {
    const text = execFileSync("openssl", ["x509", "-noout", "-text", "-in", join(folder, "ca.pem")], {
      encoding: "utf8",
    });
    for (const extension of ["Basic Constraints", "Key Usage", "Name Constraints"]) {
      expect(text).toContain(`X509v3 ${extension}: critical`);
    }
    expect(text).toMatch(/CA:TRUE, pathlen:0\b/);
    expect(text).toMatch(
      /Permitted:\s+DNS:api\.example\.com\s+DNS:wild\.example\s+Excluded:\s+IP:0\.0\.0\.0\/0\.0\.0\.0\s+IP:/,
    );
    expect(text).toMatch(/Subject Key Identifier[^]*Authority Key Identifier/);
  });
});

const pythonClient = `
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
context.verify_flags |= ssl.VERIFY_X509_STRICT
with socket.create_connection(("127.0.0.1", int(sys.argv[2]))) as plain:
    try:
        context.wrap_socket(plain, server_hostname=sys.argv[3])
        print("accepted")
    except ssl.SSLCertVerificationError as error:
        print(error.verify_message)
`;

describe.skipIf(!python)(`Python${without(python, "python3 with ssl")}`, () => {
  it.each([
    ["accepts an allowed name", "api.example.com", "accepted"],
    ["refuses a forbidden name", "forbidden.test", "permitted subtree violation"],
  ])("%s", async (_, name, expected) => {
    const server = await serveAs(name);
    const { promise, resolve } = Promise.withResolvers<string>();
    const child = spawn("python3", ["-c", pythonClient, join(folder, "ca.pem"), String(server.port), name]);
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.once("close", () => resolve(output.trim()));
    expect(await promise).toBe(expected);
    server.close();
  });
});
