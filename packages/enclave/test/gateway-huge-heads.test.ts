/** Heads of a hundred megabytes: they are not read, and cost neither memory nor the application anything. */
import type { TLSSocket } from "node:tls";
import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FakeApp, startApp } from "./fake-app.ts";
import { aliceKey, type Fixture, startGateway } from "./gateway-fixture.ts";
import { call, openTls, readUntilClosed } from "./tls-caller.ts";
import { issuerKey, token } from "./token-issuer.ts";

const megabyte = 1_048_576;
const huge = 100 * megabyte;

let app: FakeApp;
let box: Fixture;
beforeAll(async () => {
  app = await startApp();
  box = await startGateway({ appPort: app.port });
});
afterAll(async () => {
  await box.close();
  await app.close();
});
beforeEach(() => {
  app.seen.length = 0;
});

/** Writes on and on, as fast as the box takes it; resolves with how much it took before it closed. */
async function pour(socket: TLSSocket, head: string, filler: string): Promise<number> {
  socket.write(head);
  const piece = filler.repeat(Math.ceil(16_384 / filler.length));
  let poured = 0;
  while (poured < huge && !socket.destroyed && socket.writable) {
    poured += piece.length;
    if (!socket.write(piece)) await Promise.race([drained(socket), setImmediate()]);
  }
  return poured;
}

function drained(socket: TLSSocket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("drain", resolve).once("close", resolve);
  });
}

const start = `Host: x\r\nAuthorization: Bearer ${aliceKey}\r\n`;

describe("a hundred megabytes of", () => {
  it.each<[string, string, string]>([
    ["one header's value", `GET /a/x HTTP/1.1\r\n${start}X-A: `, "a"],
    ["one header's name", `GET /a/x HTTP/1.1\r\n${start}X-`, "a"],
    ["header lines", `GET /a/x HTTP/1.1\r\n${start}`, "X-A: b\r\n"],
    ["target", "GET /a/", "a"],
    ["method", "GET", "T"],
    ["credential", "GET /a/x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ", "a"],
    ["trailers", `POST /a/x HTTP/1.1\r\n${start}Transfer-Encoding: chunked\r\n\r\n0\r\n`, "X-A: b\r\n"],
    ["a chunk's extension", `POST /a/x HTTP/1.1\r\n${start}Transfer-Encoding: chunked\r\n\r\n1;`, "a"],
  ])("%s are cut off long before, and no request of it is whole", async (_, head, filler) => {
    const socket = await openTls(box.port);
    const received = readUntilClosed(socket);
    const poured = await pour(socket, head, filler);
    expect(await received).toMatch(/^(?:HTTP\/1\.1 4[0-9][0-9] |$)/);
    // What sockets buffer on the way was written, and read by nobody.
    expect(poured).toBeLessThan(20 * megabyte);
    expect(app.seen).toEqual([]);
    expect((await call(box.port, "/a/x", { key: aliceKey })).status).toBe(200);
  });
});

it("many of them at once leave the box at the service of others", async () => {
  const callers = Array.from({ length: 20 }, async () => {
    const socket = await openTls(box.port);
    const received = readUntilClosed(socket);
    await pour(socket, `GET /a/x HTTP/1.1\r\n${start}X-A: `, "a");
    return received;
  });
  expect((await call(box.port, "/a/x", { key: aliceKey })).status).toBe(200);
  for (const answer of await Promise.all(callers)) expect(answer).toMatch(/^(?:HTTP\/1\.1 431 |$)/);
  expect(app.seen).toHaveLength(1);
});

it("a token as long as the head may be is refused like any other", async () => {
  const text = token(issuerKey("ES256"), { claims: { pad: "x".repeat(11_000) } });
  expect((await call(box.port, "/a/x", { headers: { "x-blindbox-authorization": `Bearer ${text}` } })).status).toBe(
    401,
  );
  expect(app.seen).toEqual([]);
});
