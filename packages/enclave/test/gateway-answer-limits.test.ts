/** A rule's bounds on time, on the answer and on all of its callers together. */
import type { ServerResponse } from "node:http";
import type { Limits } from "@blindbox/manifest";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { createAllowances } from "../src/gateway/allowances.ts";
import { startRawHttpApp } from "./fake-app.ts";
import { aliceKey, digestOf, type Fixture, startGateway } from "./gateway-fixture.ts";
import { call, openTls, problemCode, readUntilClosed } from "./tls-caller.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

async function boxBefore(answer: (response: ServerResponse) => void, limits: Partial<Limits>): Promise<Fixture> {
  const app = await startRawHttpApp((_, response) => answer(response));
  const principals = [{ id: "alice", apiKey: digestOf(aliceKey), audit: false }];
  const rules = [{ allow: ["alice"], methods: ["GET" as const, "HEAD" as const], path: "/**", limits }];
  const box = await startGateway({ appPort: app.port, access: { principals, rules } });
  opened.push(app, box);
  return box;
}

const get = `GET /x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${aliceKey}\r\nConnection: close\r\n\r\n`;

describe("the bytes of an answer", () => {
  it("may be all that the rule grants, and an answer that announces more does not begin", async () => {
    const fits = await boxBefore((response) => response.end("12345678"), { response: 8 });
    expect((await call(fits.port, "/x", { key: aliceKey })).body).toBe("12345678");
    const exceeds = await boxBefore((response) => response.end("123456789"), { response: 8 });
    const answer = await call(exceeds.port, "/x", { key: aliceKey });
    expect([answer.status, problemCode(answer)]).toEqual([502, "answer-too-large"]);
  });

  it("are counted where nothing is announced, and the answer is cut so that nobody takes it for whole", async () => {
    const box = await boxBefore(
      (response) => {
        response.write("1234");
        setTimeout(() => response.end("56789"), 20);
      },
      { response: 8 },
    );
    const socket = await openTls(box.port);
    const received = readUntilClosed(socket);
    socket.write(get);
    const text = await received;
    expect(text).toContain("1234");
    expect(text).not.toContain("56789");
    expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
  });

  it("of a HEAD are none, whatever it announces", async () => {
    const box = await boxBefore((response) => response.writeHead(200, { "content-length": 1000 }).end(), {
      response: 8,
    });
    expect((await call(box.port, "/x", { key: aliceKey, method: "HEAD" })).status).toBe(200);
  });
});

describe("the time of a request", () => {
  it("ends in a problem where nothing was answered yet", async () => {
    const box = await boxBefore(() => {}, { time: 1 });
    const answer = await call(box.port, "/x", { key: aliceKey });
    expect([answer.status, problemCode(answer)]).toEqual([504, "app-timeout"]);
  });

  it("breaks an answer that never ends", async () => {
    const box = await boxBefore(
      (response) => {
        const timer = setInterval(() => response.write("."), 50);
        response.once("close", () => clearInterval(timer));
      },
      { time: 1 },
    );
    const socket = await openTls(box.port);
    const received = readUntilClosed(socket);
    socket.write(get);
    expect(await received).not.toMatch(/\r\n0\r\n\r\n$/);
  });
});

describe("the requests of all callers of a rule", () => {
  const limits = { requestsPerMinute: 1_000_000, totalPerMinute: 100, concurrent: 1_000_000 };

  it("are never more than the rule grants in any minute, whoever asks when", () => {
    const caller = fc.record({ who: fc.nat(5), gap: fc.integer({ min: 0, max: 4000 }) });
    fc.assert(
      fc.property(fc.array(caller, { maxLength: 400 }), (calls) => {
        let now = 0;
        const allowances = createAllowances(() => now);
        const granted: number[] = [];
        for (const { who, gap } of calls) {
          now += gap;
          if (allowances.claim(0, `p${who}`, limits, true).granted) granted.push(Math.floor(now / 1000));
        }
        for (const end of granted) {
          expect(granted.filter((at) => at <= end && at > end - 60).length).toBeLessThanOrEqual(100);
        }
      }),
    );
  });

  it("leave room for who comes late: one caller that floods cannot take the last quarter from others", () => {
    let now = 0;
    const allowances = createAllowances(() => now);
    const granted = (who: string): boolean => allowances.claim(0, who, limits, true).granted;
    const flood = Array.from({ length: 1000 }, () => granted("flood")).filter(Boolean).length;
    expect(flood).toBe(75);
    now += 5000;
    expect([granted("bob"), granted("carol")]).toEqual([true, true]);
    const bob = Array.from({ length: 30 }, () => granted("bob")).filter(Boolean).length;
    expect(bob).toBeGreaterThan(5);
  });

  it("are all there for one that has the rule for itself", () => {
    const alone = createAllowances(() => 0);
    const granted = Array.from({ length: 200 }, () => alone.claim(0, "alice", limits, false).granted);
    expect(granted.filter(Boolean)).toHaveLength(100);
  });
});
