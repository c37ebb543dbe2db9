/** What whoever runs the box can ask it: constants, and coarse numbers where the Manifest says so. */
import { createServer, type AddressInfo } from "node:net";
import { get } from "node:http";
import type { Operations } from "@blindbox/manifest";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { coarse } from "../src/gateway/index.ts";
import { type FakeApp, readAll, startApp } from "./fake-app.ts";
import { aliceKey, type Fixture, startGateway } from "./gateway-fixture.ts";
import { call } from "./tls-caller.ts";

let app: FakeApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function boxWith(operations: Partial<Operations>): Promise<[Fixture, number]> {
  const port = await freePort();
  return [await startGateway({ appPort: app.port, operations: { ...operations, port } }), port];
}

function ask(port: number, path: string, method = "GET"): Promise<readonly [number, string]> {
  return new Promise((resolve, reject) => {
    get({ port, host: "127.0.0.1", path, method, agent: false }, (response) => {
      readAll(response).then((body) => resolve([response.statusCode ?? 0, body]), reject);
    }).once("error", reject);
  });
}

describe("the listener for whoever runs the box", () => {
  it("is not there unless the Manifest names a port", async () => {
    const box = await startGateway({ appPort: app.port });
    expect((await call(box.port, "/metrics", { key: aliceKey })).status).toBe(403);
    await box.close();
  });

  it("says live and ready whatever the application does, unless the Manifest lets readiness out", async () => {
    const [box, port] = await boxWith({});
    expect(await ask(port, "/livez")).toEqual([200, "live\n"]);
    box.setState("down");
    expect(await ask(port, "/readyz")).toEqual([200, "ready\n"]);
    await box.close();
    const [open, other] = await boxWith({ health: "ready" });
    expect(await ask(other, "/readyz")).toEqual([200, "ready\n"]);
    open.setState("down");
    expect(await ask(other, "/readyz")).toEqual([503, "not ready\n"]);
    expect(await ask(other, "/livez")).toEqual([200, "live\n"]);
    await open.close();
  });

  it("has nothing else: no attestation, no application, no ledger, no metrics that nobody asked for", async () => {
    const [box, port] = await boxWith({});
    for (const path of [
      "/",
      "/metrics",
      "/open/x",
      "/.well-known/blindbox/attestation",
      "/.well-known/blindbox/ledger",
    ]) {
      expect((await ask(port, path))[0]).toBe(404);
    }
    expect((await ask(port, "/livez", "POST"))[0]).toBe(405);
    expect(app.seen).toEqual([]);
    await box.close();
  });

  it("shows metrics with labels of its own, rounded down, and not a word of callers or paths", async () => {
    const [box, port] = await boxWith({ metrics: "coarse" });
    for (let at = 0; at < 13; at += 1) await call(box.port, "/open/secret-name");
    await call(box.port, "/a/x");
    // What anybody can send without a rule's leave would let a host count up to the next step.
    for (let at = 0; at < 9; at += 1) await call(box.port, "/.well-known/blindbox/health");
    const [, text] = await ask(port, "/metrics");
    expect(text).toContain('blindbox_requests_total{outcome="answered"} 10\n');
    expect(text).toContain('blindbox_requests_total{outcome="refused"} 0\n');
    expect(text).toContain("blindbox_app_restarts_total 3\n");
    expect(text).not.toMatch(/secret|alice|open/);
    await box.close();
  });
});

it("a coarse number is never above the true one, never goes back, and has two significant digits", () => {
  fc.assert(
    fc.property(fc.nat(10_000_000), fc.nat(1000), (count, more) => {
      const shown = coarse(count);
      expect(shown).toBeLessThanOrEqual(count);
      expect(coarse(count + more)).toBeGreaterThanOrEqual(shown);
      expect(String(shown).replace(/0+$/, "").length).toBeLessThanOrEqual(2);
      if (count < 100) expect(shown % 10).toBe(0);
    }),
  );
});
