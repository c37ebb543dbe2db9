/** The command against a box that may lie about its records: real TLS, real Evidence of a simulated TEE. */
import { hash } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { join } from "node:path";
import {
  ACCESS_LOG_PATH,
  type AccessLogDocument,
  type AccessRecord,
  formatAccessLog,
  formatLedger,
  type LedgerDocument,
  type LedgerRecord,
} from "@blindbox/attestation";
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

const admitted: AccessRecord = {
  seq: 0,
  time,
  principal: "acme-batch",
  rule: 0,
  method: "POST",
  path: "/v1/**",
  outcome: "answered",
  status: 200,
  received: 12,
  sent: 345,
};

/** The chain as DESIGN says it, without our own code for it. */
function chainOf<T extends { readonly seq: number }>(type: string, records: readonly T[], first = 0, begin?: Buffer) {
  const start = begin ?? hash("sha256", type, "buffer");
  let head = start;
  for (const record of records) {
    head = hash("sha256", Buffer.concat([head, Buffer.from(canonicalJson({ ...record }))]), "buffer");
  }
  return { start: `sha256:${start.toString("hex")}`, first, records, head: `sha256:${head.toString("hex")}` };
}

function chained(records: readonly LedgerRecord[], first = 0, begin?: Buffer): LedgerDocument {
  return chainOf("blindbox-ledger/1", records, first, begin);
}

function logged(records: readonly AccessRecord[], first = 0, begin?: Buffer): AccessLogDocument {
  return chainOf("blindbox-access-log/1", records, first, begin);
}

const honest = chained([connected, refused]);
const honestLog = logged([admitted]);

interface Audited extends Run {
  /** What arrived behind the attestation requests. */
  readonly received: string;
}

let world: World;

beforeAll(async () => {
  world = await makeWorld();
});

/** What a Statement says of records. */
interface Heads {
  readonly ledger: string | null;
  readonly audit: string | null;
}

/** Runs the command against a box whose Statement names `heads` and that answers with `app`. */
async function audit(app: RequestListener, heads: Heads, flags: readonly string[] = []): Promise<Audited> {
  const cwd = emptyDirectory();
  writeFileSync(join(cwd, "release.json"), formatRelease(world.release));
  writeFileSync(join(cwd, "root.pem"), world.vendor.rootPem);
  writeFileSync(join(cwd, "key.txt"), `${key}\n`);
  await using box = await startFakeBox({
    identity: world.identity,
    answer: async (asked) =>
      sendEvidence(asked.socket, await evidenceFor(world, asked, { statement: (truth) => ({ ...truth, ...heads }) })),
    app,
  });
  const accepted = ["--release", "release.json", "--manifest", world.manifestDigest, "--simulated=root.pem"];
  const run = await blindbox(["audit", box.url, ...accepted, "--key-file", "key.txt", ...flags], { cwd });
  await box.allClosed();
  return { ...run, received: box.received() };
}

/** Answers with a ledger, and with an access log where that is asked for. */
function answering(ledger: string, log = formatAccessLog(honestLog), status = 200): RequestListener {
  return ({ url }, response) => {
    const [kind, text] = url === ACCESS_LOG_PATH ? ["access-log", log] : ["ledger", ledger];
    response.writeHead(status, { "content-type": `application/vnd.blindbox.${kind}+json` }).end(text);
  };
}

const honestHeads: Heads = { ledger: honest.head, audit: honestLog.head };

function auditOf(document: LedgerDocument, head: string | null = document.head): Promise<Audited> {
  return audit(answering(formatLedger(document)), { ...honestHeads, ledger: head });
}

function auditOfLog(log: AccessLogDocument, head: string | null = log.head): Promise<Audited> {
  return audit(answering(formatLedger(honest), formatAccessLog(log)), { ...honestHeads, audit: head });
}

describe("blindbox audit", () => {
  test("shows every record of a ledger that the Evidence stands behind", async () => {
    const { code, stdout, stderr, received } = await auditOf(honest);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [title, head, ...rows] = stdout.split("\n").map((line) => line.trim().split(/ {2,}/));
    expect(title?.[0]).toMatch(/^Egress ledger: /);
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
    expect(stdout).toMatch(/unbroken chains, and the ones that were attested: by Evidence accepted with warnings\n$/);
    expect(received).toMatch(/^GET \/\.well-known\/blindbox\/ledger HTTP\/1\.1\r\n/);
    expect(received).toMatch(/^GET \/\.well-known\/blindbox\/access-log HTTP\/1\.1\r$/m);
    expect(received.split(`authorization: Bearer ${key}`)).toHaveLength(3);
  });

  test("takes a Statement that was made before the newest record", async () => {
    const { code } = await auditOf(honest, chained([connected]).head);
    expect(code).toBe(0);
  });

  test("says that older records were given up", async () => {
    const { code, stdout } = await auditOf(chained([{ ...connected, seq: 7 }], 7, Buffer.alloc(32, 1)));
    expect(code).toBe(0);
    expect(stdout.split("\n")[1]).toMatch(/^7 older records were given up/);
  });

  test("shows a ledger without records", async () => {
    const { code, stdout } = await auditOf(chained([]));
    expect({ code, first: stdout.split("\n")[1] }).toEqual({ code: 0, first: "no records" });
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

  test("shows every record of the access log that the Evidence stands behind", async () => {
    const second = { ...admitted, seq: 1, outcome: "broken", status: null };
    const { code, stdout } = await auditOfLog(logged([admitted, second]), honestLog.head);
    expect(code).toBe(0);
    const lines = stdout.slice(stdout.indexOf("Access log: ")).split("\n");
    const [, head, ...rows] = lines.map((line) => line.trim().split(/ {2,}/));
    expect(head?.slice(2)).toEqual("principal,rule,method,path of the rule,outcome,status,received,sent".split(","));
    expect(rows[0]).toEqual([
      "0",
      "2026-01-02T03:04:05Z",
      "acme-batch",
      "0",
      "POST",
      "/v1/**",
      "answered",
      "200",
      "12",
      "345",
    ]);
    expect(rows[1]?.slice(-4)).toEqual(["broken", "-", "12", "345"]);
  });

  test("says of an access log without records why it may have none, and how many are no longer kept", async () => {
    const empty = await auditOfLog(logged([]));
    expect(empty).toMatchObject({ code: 0, stderr: "" });
    expect(empty.stdout).toContain("\nno records: no request has ended yet under a rule with `audit: true`\n");
    const late = await auditOfLog(logged([{ ...admitted, seq: 9 }], 9, Buffer.alloc(32, 1)));
    expect(late.code).toBe(0);
    expect(late.stdout).toContain("\n9 older records were given up: ");
  });

  test.each<[string, AccessLogDocument, string | null, string]>([
    ["an altered record", { ...honestLog, records: [{ ...admitted, sent: 1 }] }, honestLog.head, "access-log-head"],
    ["a record left out", { ...honestLog, records: [] }, honestLog.head, "access-log-head"],
    ["the head of its ledger", honestLog, honest.head, "access-log-statement"],
    ["no access log in its Statement", honestLog, null, "access-log-unattested"],
    ["a gap", logged([{ ...admitted, seq: 1 }]), logged([{ ...admitted, seq: 1 }]).head, "access-log-sequence"],
  ])("refuses a box whose access log has %s, although its ledger is right", async (_, log, head, code) => {
    const run = await auditOfLog(log, head);
    expect(run.code).toBe(1);
    expect(run.stdout).toMatch(new RegExp(`^${code}: expected .*, got .*$`, "m"));
    expect(run.stdout).toMatch(/: refused: these records are not what the box wrote\n$/);
  });

  test("refuses an access log that is none, with words of no use to a terminal's attacker", async () => {
    const painted = formatAccessLog(honestLog).replace("acme-batch", "\\u001b[31m");
    for (const text of ["hello", painted]) {
      const { code, stdout, stderr } = await audit(answering(formatLedger(honest), text), honestHeads);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toMatch(/: expected an access log, got /);
      expect(stderr).not.toContain("\u001b");
    }
  });

  test("judges both records by one attestation, and gives up where each comes over a connection of its own", async () => {
    const closing: RequestListener = (request, response) => {
      response.setHeader("connection", "close");
      answering(formatLedger(honest))(request, response);
    };
    const { code, stdout, stderr } = await audit(closing, honestHeads);
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(stderr).toContain("expected two answers on one connection, got a new connection each time");
  });

  test("writes both records and the verdict as JSON", async () => {
    const run = await audit(answering(formatLedger({ ...honest, records: [refused] })), honestHeads, ["--json"]);
    expect(run.code).toBe(1);
    expect(JSON.parse(run.stdout)).toMatchObject({
      verified: false,
      status: "warning",
      differences: [{ code: "ledger-sequence" }, { code: "ledger-head" }, { code: "ledger-statement" }],
      ledger: { records: [refused] },
      accessLog: { records: [admitted], head: honestLog.head },
    });
  });

  test.each<[string, string]>([
    ["no JSON", "hello"],
    ["another text for the same", `${formatLedger(honest)}\n`],
    ["a verdict that nobody knows", formatLedger(honest).replace("refused-name", "refused-noise")],
    ["a host that would paint the terminal", formatLedger(honest).replace("*.example.com", "\\u001b[31m")],
    ["more than a ledger can be", "x".repeat(9 * 1024 * 1024)],
  ])("refuses %s", async (_, text) => {
    const { code, stdout, stderr } = await audit(answering(text), honestHeads);
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
    const { code, stdout, stderr } = await audit(answering("secret words", "", status), honestHeads);
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
      /^error: who audits: expected one of --key-file FILE, .*, BLINDBOX_API_KEY in the environment, got none of them\nhint: .*audit: true.*\n$/,
    );
  });
});
