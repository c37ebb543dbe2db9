/** `blindbox inspect` as a process: files of every kind, and boxes that answer or do not. */
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { EVIDENCE_MEDIA_TYPE, EVIDENCE_PATH } from "@blindbox/attestation";
import { canonicalJson, type JsonValue } from "@blindbox/encoding";
import { describe, expect, onTestFinished, test } from "vitest";
import { evidenceFor, makeWorld, type Asked } from "../../client/test/fake-box/index.ts";
import { blindbox, emptyDirectory } from "./command.ts";
import { closingServer, deadPort, garblingServer, plainServer, webServer } from "./peers.ts";

const asked = { nonce: new Uint8Array(32).fill(7), exporter: new Uint8Array(32).fill(9) } as unknown as Asked;

/** A box that answers GET with `body`; and what it was asked. */
async function answering(body: string, type: string = EVIDENCE_MEDIA_TYPE) {
  const { identity } = await makeWorld();
  const requests: string[] = [];
  const options = { key: identity.key, cert: identity.cert, minVersion: "TLSv1.3" } as const;
  const server = createServer(options, ({ method, url, headers }, response) => {
    requests.push(`${method} ${url} ${headers.authorization ?? "no credential"}`);
    response.writeHead(200, { "content-type": type }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

describe("a box", () => {
  test("is asked once, by GET, for its last document, which is shown and not believed", async () => {
    const { url, requests } = await answering(await evidenceFor(await makeWorld(), asked));
    const { code, stdout, stderr } = await blindbox(["inspect", url]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [first = "", second = "", ...rest] = stdout.trimEnd().split("\n");
    expect(first).toMatch(/^https:.+ bytes, fetched without any check of who answered$/);
    expect(second).toContain("Nothing here was verified");
    expect(rest.at(-1)).toBe(second);
    expect(stdout).toContain("simulated: no hardware, and no protection");
    expect(requests).toEqual([`GET ${EVIDENCE_PATH} no credential`]);
  });

  test("--json gives every field, and says that nothing was verified", async () => {
    const { url } = await answering(await evidenceFor(await makeWorld(), asked));
    const { code, stdout } = await blindbox(["inspect", url, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      source: url,
      verified: false,
      kind: "evidence-document",
      inside: [{ kind: "simulated-report" }],
    });
  });

  test("that answers with something else, or more than a document may have, is told", async () => {
    const { url } = await webServer();
    const other = await blindbox(["inspect", url]);
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/^error: .+: expected an Evidence document, got status 200 and .+\nhint: .+\n$/);
    const endless = await blindbox(["inspect", (await answering("{".repeat(6 * 1024 * 1024))).url]);
    expect(endless.code).toBe(2);
    expect(endless.stderr).toContain("more than 5242880 bytes");
  });

  test("by another scheme than https is refused as a URL, and not looked for as a file", async () => {
    const { code, stderr } = await blindbox(["inspect", "http://127.0.0.1:8080"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: the URL: expected an https URL, got http:\nhint: .+\n$/);
  });

  test.each<[string, () => Promise<string>, string]>([
    ["where nothing listens", deadPort, "nothing that listens there"],
    // Too long for a label: refused by the resolver of the system, with or without a network.
    ["of no such name", async () => `https://${"a".repeat(64)}.invalid`, "a name without an address"],
    ["that speaks no TLS", plainServer, "something that speaks no TLS 1.3"],
    ["that hangs up when it is asked", closingServer, "a connection that was closed without any Evidence"],
    ["that speaks no HTTP", garblingServer, "an answer that is no HTTP/1.1"],
  ])("%s is not reachable, and why is told", async (_what, make, words) => {
    const { code, stdout, stderr } = await blindbox(["inspect", await make()]);
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(stderr).toMatch(/^error: https:.+: expected a box that answers, got .+\nhint: .+\n$/);
    expect(stderr).toContain(`got ${words}\n`);
  });
});

describe("a file", () => {
  test.each<[string, (path: string) => void, string]>([
    ["that is not there", () => undefined, "no such file"],
    ["that is a directory", (path) => mkdirSync(path), "a directory"],
    ["that is empty", (path) => writeFileSync(path, ""), "an empty file"],
    ["of 64 MiB", sparse, "more than 16777216 bytes"],
    [
      "of binary garbage",
      (path) => writeFileSync(path, Buffer.alloc(5000, 0xc3)),
      "5000 bytes that begin as none does",
    ],
    ["that begins as a report", (path) => writeFileSync(path, "BBSIM\0\x01\0"), "flags"],
  ])("%s is refused in one line, with advice", async (_what, make, words) => {
    const cwd = emptyDirectory();
    make(join(cwd, "evidence"));
    const { code, stdout, stderr } = await blindbox(["inspect", "evidence"], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: [^\n]+\nhint: [^\n]+\n$/);
    expect(stderr).toContain(words);
  });

  test("cannot colour or move the terminal by what is in it", async () => {
    const cwd = emptyDirectory();
    const document = await evidenceFor(await makeWorld(), asked);
    const altered = JSON.parse(document) as Record<string, JsonValue>;
    // Keys of Endorsements are the peer's own words.
    altered["endorsements"] = { "\u001b[2Jx\u202e": 1 };
    writeFileSync(join(cwd, "evidence"), canonicalJson(altered));
    const { stdout, stderr } = await blindbox(["inspect", "evidence"], { cwd });
    expect(stdout).toContain("\\u{1b}[2Jx\\u{202e}");
    expect(stdout + stderr).not.toMatch(/[\u001b\u202e]/);
  });
});

function sparse(path: string): void {
  writeFileSync(path, "");
  truncateSync(path, 64 * 1024 * 1024);
}
