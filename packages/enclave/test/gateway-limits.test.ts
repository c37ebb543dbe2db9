import type { ServerResponse } from "node:http";
import type { Limits } from "@blindbox/manifest";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { createAllowances } from "../src/gateway/allowances.ts";
import { startApp, startRawHttpApp } from "./fake-app.ts";
import { aliceKey, bobKey, digestOf, startGateway } from "./gateway-fixture.ts";
import { call, openTls, problemCode } from "./tls-caller.ts";

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

function accessWith(limits: Partial<Limits>) {
  return {
    principals: [
      { id: "alice", apiKey: digestOf(aliceKey), audit: false },
      { id: "bob", apiKey: digestOf(bobKey), audit: false },
    ],
    rules: [
      {
        allow: ["alice", "bob"],
        methods: ["GET" as const],
        path: "/**",
        limits: { body: 10, requestsPerMinute: 100, concurrent: 100, ...limits },
      },
    ],
  };
}

describe("requests a minute", () => {
  it("are counted for each principal, and refused with the time to wait", async () => {
    const app = await startApp();
    let now = 1_000_000;
    const box = await startGateway({
      appPort: app.port,
      access: accessWith({ requestsPerMinute: 2 }),
      monotonic: () => now,
    });
    opened.push(app, box);
    expect((await call(box.port, "/x", { key: aliceKey })).status).toBe(200);
    now += 10_000;
    expect((await call(box.port, "/x", { key: aliceKey })).status).toBe(200);
    const refused = await call(box.port, "/x", { key: aliceKey });
    expect([refused.status, problemCode(refused), refused.headers["retry-after"]]).toEqual([
      429,
      "too-many-requests",
      "50",
    ]);
    expect((await call(box.port, "/x", { key: bobKey })).status).toBe(200);
    now += 50_000;
    expect((await call(box.port, "/x", { key: aliceKey })).status).toBe(200);
    expect(app.seen).toHaveLength(4);
  });

  it("are never more than allowed in any 60 seconds, whatever the times of the requests", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 200 }),
        fc.integer({ min: 1, max: 20 }),
        (gaps, allowed) => {
          let now = 0;
          const granted: number[] = [];
          const allowances = createAllowances(() => now);
          for (const gap of gaps) {
            now += gap;
            const claim = allowances.claim(
              0,
              "alice",
              {
                requestsPerMinute: allowed,
                totalPerMinute: 1_000_000,
                concurrent: 1000,
              },
              true,
            );
            if (claim.granted) granted.push(now);
            else expect(claim.retryAfter).toBeGreaterThan(0);
          }
          for (const end of granted) {
            expect(granted.filter((at) => at <= end && at > end - 59_000).length).toBeLessThanOrEqual(allowed);
          }
        },
      ),
    );
  });

  it("become free when the answer says so", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 90_000 }), { minLength: 1, maxLength: 50 }), (gaps) => {
        let now = 0;
        const limits = { requestsPerMinute: 3, totalPerMinute: 1000, concurrent: 1000 };
        const allowances = createAllowances(() => now);
        for (const gap of gaps) {
          now += gap;
          const claim = allowances.claim(0, "alice", limits, true);
          if (claim.granted) continue;
          now += claim.retryAfter * 1000;
          expect(allowances.claim(0, "alice", limits, true).granted).toBe(true);
        }
      }),
    );
  });
});

describe("requests at once", () => {
  it("are counted for each principal until the answer is over", async () => {
    const held: ServerResponse[] = [];
    const app = await startRawHttpApp((_, response) => void held.push(response));
    const box = await startGateway({ appPort: app.port, access: accessWith({ concurrent: 2 }) });
    opened.push(app, box);
    const first = [call(box.port, "/x", { key: aliceKey }), call(box.port, "/x", { key: aliceKey })];
    await expect.poll(() => held).toHaveLength(2);
    const refused = await call(box.port, "/x", { key: aliceKey });
    expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "1"]);
    const bobs = call(box.port, "/x", { key: bobKey });
    await expect.poll(() => held).toHaveLength(3);
    for (const response of held) response.end("ok");
    expect((await Promise.all([...first, bobs])).map(({ status }) => status)).toEqual([200, 200, 200]);
    const again = call(box.port, "/x", { key: aliceKey });
    await expect.poll(() => held).toHaveLength(4);
    held[3]?.end("ok");
    expect((await again).status).toBe(200);
  });

  it("become free when the caller goes away", async () => {
    const held: ServerResponse[] = [];
    const app = await startRawHttpApp((_, response) => void held.push(response));
    const box = await startGateway({ appPort: app.port, access: accessWith({ concurrent: 1 }) });
    opened.push(app, box);
    const socket = await openTls(box.port);
    socket.write(`GET /x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${aliceKey}\r\n\r\n`);
    await expect.poll(() => held).toHaveLength(1);
    socket.destroy();
    await expect
      .poll(async () => {
        const next = call(box.port, "/x", { key: aliceKey });
        await Promise.race([next, expect.poll(() => held).toHaveLength(2)]);
        held[1]?.end("ok");
        return (await next).status;
      })
      .toBe(200);
  });
});
