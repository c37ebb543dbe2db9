/** The command against a box that may lie about its ledger: real TLS, real Evidence of a simulated TEE. */
import { hash } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { join } from "node:path";
import { formatLedger, type LedgerDocument, type LedgerRecord } from "@blindbox/attestation";
import { canonicalJson } from "@blindbox/encoding";
import { formatRelease } from "@blindbox/release";
import { beforeAll, describe, expect, test } from "vitest";
import { evidenceFor, makeWorld, sendEvidence, startFakeBox, type World } from "../../client/test/fake-box/index.ts";
import { blindbox, emptyDirectory, type Run } from "./command.ts";
import { deadPort, webServer } from "./peers.ts";

const key = `bb_${"k".repeat(43)}`;

const time = Date.UTC(2026, 0, 2, 3, 4, 5) / 1000;

const connected: LedgerRecord = {
  seq: 0,
  time,
  verdict: "connected",
  rule: 0,
  host: "*.example.com",
  port: 443,
  mode: "verified",
  sent: 0,
  received: 0,
  peer: `sha256:${"c".repeat(64)}`,
  count: 1,
};

const refused: LedgerRecord = {
  ...connected,
  seq: 1,
  verdict: "refused-name",
  rule: null,
  host: null,
  port: null,
  mode: null,
  peer: null,
  count: 1234,
};

/** The chain as DESIGN says it, without our own code for it. */
function chained(records: readonly LedgerRecord[], first = 0, start = hash("sha256", "blindbox-ledger/1", "buffer")) {
  let head = start;
  for (const record of records) {
    head = hash("sha256", Buffer.concat([head, Buffer.from(canonicalJson({ ...record }))]), "buffer");
  }
  const document: LedgerDocument = {
    start: `sha256:${start.toString("hex")}`,
    first,
    records,
    head: `sha256:${head.toString("hex")}`,
  };
  return document;
}

const honest = chained([connected, refused]);

interface Audited extends Run {
  /** What arrived behind the attestation requests. */
  readonly received: string;
}

let world: World;

beforeAll(async () => {
  world = await makeWorld();
});

/** Runs the command against a box whose Statement names `head` and that answers with `app`. */
async function audit(app: RequestListener, head: string | null, flags: readonly string[] = []): Promise<Audited> {
  const cwd = emptyDirectory();
  writeFileSync(join(cwd, "release.json"), formatRelease(world.release));
  writeFileSync(join(cwd, "root.pem"), world.vendor.rootPem);
  writeFileSync(join(cwd, "key.txt"), `${key}\n`);
  await using box = await startFakeBox({
    identity: world.identity,
    answer: async (asked) =>
      sendEvidence(
        asked.socket,
        await evidenceFor(world, asked, { statement: (truth) => ({ ...truth, ledger: head }) }),
      ),
    app,
  });
  const accepted = ["--release", "release.json", "--manifest", world.manifestDigest, "--simulated=root.pem"];
  const run = await blindbox(["audit", box.url, ...accepted, "--key-file", "key.txt", ...flags], { cwd });
  await box.allClosed();
  return { ...run, received: box.received() };
}

function answering(text: string, status = 200): RequestListener {
  return (_request, response) => {
    response.writeHead(status, { "content-type": "application/vnd.blindbox.ledger+json" }).end(text);
  };
}

function auditOf(document: LedgerDocument, head: string | null = document.head): Promise<Audited> {
  return audit(answering(formatLedger(document)), head);
}

describe("blindbox audit", () => {
  test("shows every record of a ledger that the Evidence stands behind", async () => {
    const { code, stdout, stderr, received } = await auditOf(honest);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [head, ...rows] = stdout.split("\n").map((line) => line.trim().split(/ {2,}/));
    expect(head?.slice(2)).toEqual(["verdict", "count", "rule", "mode", "host", "port", "sent", "received", "peer"]);
    expect(rows[0]).toEqual([
      "0",
      "2026-01-02T03:04:05Z",
      "connected",
      "1",
      "0",
      "verified",
      "*.example.com",
      "443",
      "0",
      "0",
      `sha256:${"c".repeat(12)}…`,
    ]);
    expect(rows[1]?.slice(2)).toEqual(["refused-name", "1234", "-", "-", "-", "-", "0", "0", "-"]);
    expect(stdout).toMatch(/an unbroken chain, and the one that was attested: by Evidence accepted with warnings\n$/);
    expect(received).toMatch(/^GET \/\.well-known\/blindbox\/ledger HTTP\/1\.1\r\n/);
    expect(received).toContain(`authorization: Bearer ${key}`);
  });

  test("takes a Statement that was made before the newest record", async () => {
    const { code } = await auditOf(honest, chained([connected]).head);
    expect(code).toBe(0);
  });

  test("says that older records were given up", async () => {
    const { code, stdout } = await auditOf(chained([{ ...connected, seq: 7 }], 7, Buffer.alloc(32, 1)));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^7 older records were given up/);
  });

  test("shows a ledger without records", async () => {
    const { code, stdout } = await auditOf(chained([]));
    expect({ code, first: stdout.split("\n")[0] }).toEqual({ code: 0, first: "no records" });
  });

  test.each<[string, LedgerDocument, string | null, string]>([
    ["an altered record", { ...honest, records: [{ ...connected, sent: 1 }, refused] }, honest.head, "ledger-head"],
    ["a record left out", { ...honest, records: [connected] }, honest.head, "ledger-head"],
    ["another head in its Statement", honest, `sha256:${"0".repeat(64)}`, "ledger-statement"],
    ["a whole chain made anew", chained([{ ...connected, host: "a.example" }]), honest.head, "ledger-statement"],
    ["no ledger in its Statement", honest, null, "ledger-unattested"],
    [
      "another beginning",
      chained([connected], 0, Buffer.alloc(32)),
      chained([connected], 0, Buffer.alloc(32)).head,
      "ledger-origin",
    ],
    ["records out of order", chained([refused, connected]), chained([refused, connected]).head, "ledger-sequence"],
  ])("refuses a box with %s", async (_, document, head, code) => {
    const run = await auditOf(document, head);
    expect(run.code).toBe(1);
    expect(run.stdout).toMatch(new RegExp(`^${code}: expected .*, got .*$`, "m"));
    expect(run.stdout).toMatch(/: refused: these records are not what the box wrote\n$/);
  });

  test("writes ledger and verdict as JSON", async () => {
    const run = await audit(answering(formatLedger({ ...honest, records: [refused] })), honest.head, ["--json"]);
    expect(run.code).toBe(1);
    expect(JSON.parse(run.stdout)).toMatchObject({
      verified: false,
      status: "warning",
      differences: [{ code: "ledger-sequence" }, { code: "ledger-head" }, { code: "ledger-statement" }],
      ledger: { records: [refused] },
    });
  });

  test.each<[string, string]>([
    ["no JSON", "hello"],
    ["another text for the same", `${formatLedger(honest)}\n`],
    ["a verdict that nobody knows", formatLedger(honest).replace("refused-name", "refused-noise")],
    ["a host that would paint the terminal", formatLedger(honest).replace("*.example.com", "\\u001b[31m")],
    ["more than a ledger can be", "x".repeat(9 * 1024 * 1024)],
  ])("refuses %s", async (_, text) => {
    const { code, stdout, stderr } = await audit(answering(text), honest.head);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(
      /^error: https:\/\/127\.0\.0\.1:\d+: expected a ledger, got .*\nhint: do not rely on this box.*\n$/,
    );
    expect(stderr).not.toContain("\u001b");
  });

  test.each([
    [401, /names no principal/],
    [403, /audit: true/],
    [404, /another version/],
    [503, /try again/],
  ])("says what to do about status %i", async (status, hint) => {
    const { code, stdout, stderr } = await audit(answering("secret words", status), honest.head);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(new RegExp(`^error: .*: expected its ledger, got status ${status}\nhint: .+\n$`));
    expect(stderr).toMatch(hint);
    expect(stderr).not.toContain("secret words");
  });

  test("sends no key to what is no box", async () => {
    const cwd = emptyDirectory();
    writeFileSync(join(cwd, "release.json"), formatRelease(world.release));
    writeFileSync(join(cwd, "root.pem"), world.vendor.rootPem);
    const { url, asked } = await webServer();
    const flags = ["--release", "release.json", "--manifest", world.manifestDigest, "--simulated=root.pem"];
    const { code, stderr } = await blindbox(["audit", url, ...flags], { cwd, env: { BLINDBOX_API_KEY: key } });
    expect(code).toBe(1);
    expect(stderr).toContain("refused (not-an-enclave)");
    expect(asked.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  test("asks for a key before it sends anything", async () => {
    const { code, stderr } = await blindbox(["audit", await deadPort(), "--simulated"], { cwd: emptyDirectory() });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^error: who audits: expected --key-file FILE, or BLINDBOX_API_KEY .*\nhint: .*audit: true.*\n$/,
    );
  });
});
