import { LEDGER_MEDIA_TYPE, LEDGER_PATH } from "@blindbox/attestation";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type FakeApp, startApp } from "./fake-app.ts";
import { aliceKey, bobKey, type Fixture, startGateway } from "./gateway-fixture.ts";
import { call, problemCode } from "./tls-caller.ts";

const document = '{"of":"the ledger"}';
let app: FakeApp;
let box: Fixture;

beforeAll(async () => {
  app = await startApp();
  box = await startGateway({ appPort: app.port, ledger: () => document });
});
afterAll(async () => {
  await box.close();
  await app.close();
});

it("gives the egress ledger to a principal that may audit", async () => {
  const answer = await call(box.port, LEDGER_PATH, { key: aliceKey });
  expect(answer).toMatchObject({ status: 200, body: document });
  expect(answer.headers).toMatchObject({ "content-type": LEDGER_MEDIA_TYPE, "cache-control": "no-store" });
});

it.each([
  ["a principal without that right", { key: bobKey }, 403, "forbidden"],
  ["nobody in particular", {}, 401, "unauthenticated"],
  ["an unknown key", { key: `bb_${"A".repeat(43)}` }, 401, "unauthenticated"],
  ["a key of another form", { headers: { authorization: "Bearer bb_short" } }, 401, "unauthenticated"],
  ["whoever would write", { key: aliceKey, method: "POST" }, 405, "method-not-allowed"],
])("refuses the ledger to %s, and says nothing of it", async (_who, options, status, code) => {
  const answer = await call(box.port, LEDGER_PATH, options);
  expect(answer.status).toBe(status);
  expect(problemCode(answer)).toBe(code);
  expect(answer.body).not.toContain('ledger"');
});

it("never passes a request for it on to the application, in whatever case it is written", async () => {
  for (const path of [LEDGER_PATH, LEDGER_PATH.toUpperCase(), `${LEDGER_PATH}/`, `${LEDGER_PATH}/x`]) {
    expect((await call(box.port, path, { key: bobKey })).status).toBeGreaterThanOrEqual(400);
  }
  expect(app.seen).toEqual([]);
});
