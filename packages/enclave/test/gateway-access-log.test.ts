/** The access log: what it says of requests, and what it never says. */
import { ACCESS_LOG_PATH, LEDGER_PATH, parseAccessLog, verifyAccessLog } from "@blindbox/attestation";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { createAccessLog } from "../src/gateway/index.ts";
import { type FakeApp, startApp } from "./fake-app.ts";
import { aliceKey, bobKey, digestOf, type Fixture, startGateway, wide } from "./gateway-fixture.ts";
import { call } from "./tls-caller.ts";

let app: FakeApp;
let box: Fixture;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());
beforeEach(async () => {
  const rule = { allow: ["alice", "bob"], methods: ["GET", "POST"] as const, limits: { ...wide, body: 8 } };
  box = await startGateway({
    appPort: app.port,
    entries: 3,
    access: {
      principals: [
        { id: "alice", apiKey: digestOf(aliceKey), audit: true },
        { id: "bob", apiKey: digestOf(bobKey), audit: false },
      ],
      rules: [
        { ...rule, path: "/patients/**", audit: true },
        { ...rule, path: "/quiet", audit: false },
      ],
    },
  });
  return () => box.close();
});

async function log(): Promise<ReturnType<typeof parseAccessLog>> {
  return parseAccessLog((await call(box.port, ACCESS_LOG_PATH, { key: aliceKey })).body);
}

it("says who, when, by which rule, how it ended and how much, and nothing of what was asked", async () => {
  await call(box.port, "/patients/jane-doe?diagnosis=x", { key: bobKey, method: "POST", body: "12345678" });
  const { records } = await log();
  expect(records).toEqual([
    {
      seq: 0,
      time: expect.any(Number) as number,
      principal: "bob",
      rule: 0,
      method: "POST",
      path: "/patients/**",
      outcome: "answered",
      status: 200,
      received: 8,
      sent: expect.any(Number) as number,
    },
  ]);
  expect(JSON.stringify(records)).not.toMatch(/jane|diagnosis|12345678/);
});

it("holds requests under rules that say so, and no others", async () => {
  await call(box.port, "/quiet", { key: bobKey });
  await call(box.port, "/patients/x");
  await call(box.port, "/elsewhere", { key: bobKey });
  expect((await log()).records).toEqual([]);
});

it("is given to auditors alone, as the ledger is", async () => {
  for (const path of [ACCESS_LOG_PATH, LEDGER_PATH]) {
    expect((await call(box.port, path, { key: bobKey })).status).toBe(403);
    expect((await call(box.port, path)).status).toBe(401);
  }
});

it("is one chain, whose head is the Statement's and which shows each change", async () => {
  for (let at = 0; at < 5; at += 1) await call(box.port, "/patients/x", { key: aliceKey });
  const document = await log();
  expect([document.first, document.records.map(({ seq }) => seq)]).toEqual([2, [2, 3, 4]]);
  expect(await verifyAccessLog(document, box.accessLog.head())).toEqual([]);
  const [first, ...others] = document.records;
  if (first === undefined) throw new Error("no record");
  const altered = { ...document, records: [{ ...first, principal: "carol" }, ...others] };
  expect((await verifyAccessLog(altered, box.accessLog.head())).map(({ code }) => code)).toEqual([
    "access-log-head",
    "access-log-statement",
  ]);
  const cut = { ...document, records: others };
  expect((await verifyAccessLog(cut, box.accessLog.head())).map(({ code }) => code)).toContain("access-log-sequence");
  expect((await verifyAccessLog(document, null)).map(({ code }) => code)).toEqual(["access-log-unattested"]);
});

it("says of a body that is too large only that it was refused", async () => {
  await call(box.port, "/patients/x", { key: bobKey, method: "POST", body: "123456789" });
  const chunked = { "transfer-encoding": "chunked" };
  await call(box.port, "/patients/x", { key: bobKey, method: "POST", headers: chunked, body: "123456789" });
  const { records } = await log();
  // The first was refused by its declared length, before any rule's allowance was used.
  expect(records.map(({ outcome, status }) => [outcome, status])).toEqual([["body-too-large", 413]]);
});

it("gives up its oldest records and never its count", async () => {
  const small = createAccessLog({ entries: 2, now: () => -5 });
  const entry = {
    principal: "a",
    rule: 0,
    method: "GET",
    path: "/",
    outcome: "answered",
    status: 200,
    received: 0,
    sent: 0,
  };
  for (let at = 0; at < 4; at += 1) small.record(entry);
  const document = parseAccessLog(small.document());
  expect([document.first, document.records.length, document.records[0]?.time]).toEqual([2, 2, 0]);
  expect(await verifyAccessLog(document, small.head())).toEqual([]);
});
