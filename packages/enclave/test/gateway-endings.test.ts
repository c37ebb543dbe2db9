import { Agent, request as httpsRequest } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { startApp, startRawHttpApp, startScriptedApp } from "./fake-app.ts";
import type { Fixture } from "./gateway-fixture.ts";
import { boxesForOneTest } from "./opened.ts";
import { call, openTls, problemCode, readUntilClosed, receive, sendRaw } from "./tls-caller.ts";

const boxFor = boxesForOneTest();

const get = "GET /open/x HTTP/1.1\r\nHost: box.example:8443\r\n";

describe("an answer that is cut", () => {
  it.each([
    ["within its declared length", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"],
    ["within its chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"],
  ])("%s breaks the caller's connection", async (_, bytes) => {
    for (const cut of ["end", "resetAndDestroy"] as const) {
      const app = await startScriptedApp(bytes, (socket) => void setTimeout(() => socket[cut](), 20));
      const box = await boxFor(app);
      await expect(call(box.port, "/open/x")).rejects.toThrow(/aborted|hang up|ECONNRESET/);
    }
  });

  it("without length breaks the caller's connection when the application is no more", async () => {
    const app = await startScriptedApp("HTTP/1.1 200 OK\r\n\r\nabc", (socket) => {
      box.setState("down");
      socket.end();
    });
    const box = await boxFor(app);
    await expect(call(box.port, "/open/x")).rejects.toThrow(/aborted|hang up|ECONNRESET/);
  });

  it("without length ends well when the application lives", async () => {
    const app = await startScriptedApp("HTTP/1.1 200 OK\r\n\r\nabc", (socket) => socket.end());
    const box = await boxFor(app);
    expect(await call(box.port, "/open/x")).toMatchObject({ status: 200, body: "abc" });
  });

  it.each([
    ["nothing", ""],
    ["no HTTP", "hello\r\n\r\n"],
    ["an upgrade", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"],
    ["a control character in a header", "HTTP/1.1 200 OK\r\nX-A: b\x01c\r\nContent-Length: 2\r\n\r\nok"],
    ["a status that is none", "HTTP/1.1 099 X\r\nContent-Length: 2\r\n\r\nok"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    ["a head without end", `HTTP/1.1 200 OK\r\nX: ${"a".repeat(40_000)}`],
  ])("is a 502 where the application says %s", async (_, bytes) => {
    const app = await startScriptedApp(bytes, (socket) => void setTimeout(() => socket.end(), 20));
    const box = await boxFor(app);
    const answer = await call(box.port, "/open/x");
    expect([answer.status, problemCode(answer)]).toEqual([502, "app-failed"]);
  });

  it("is a 504 where the application does not answer in time", async () => {
    const app = await startScriptedApp("", () => {});
    const box = await boxFor(app, { limits: { answer: 100 } });
    expect(problemCode(await call(box.port, "/open/x"))).toBe("app-timeout");
  });
});

describe("the application's state", () => {
  it.each(["starting", "down", "draining"] as const)("%s is a 503 that says when to come back", async (state) => {
    const app = await startApp();
    const box = await boxFor(app);
    box.setState(state);
    const answer = await call(box.port, "/open/x");
    expect([answer.status, problemCode(answer), answer.headers["retry-after"]]).toEqual([503, "app-not-ready", "1"]);
    expect(app.connections()).toBe(0);
  });

  it("shows to nobody who may not call", async () => {
    const app = await startApp();
    const box = await boxFor(app);
    box.setState("down");
    expect(await call(box.port, "/a/x")).toMatchObject({ status: 401 });
  });

  it.each([
    ["refuses", () => Promise.reject(new Error("refused"))],
    ["hangs", () => new Promise<never>(() => {})],
  ])("is a 503 when dialling %s", async (_, dial) => {
    const box = await boxFor(await startApp(), { dial, limits: { dial: 50 } });
    expect(problemCode(await call(box.port, "/open/x"))).toBe("app-not-ready");
  });

  it("keeps connections to it, and opens no more than it needs", async () => {
    const app = await startApp();
    const box = await boxFor(app);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let count = 0; count < 5; count += 1) expect((await call(box.port, "/open/x", { agent })).status).toBe(200);
    agent.destroy();
    expect(app.connections()).toBe(1);
  });
});

describe("answers before the body", () => {
  it("reach the caller whole, though it still sends", async () => {
    const app = await startRawHttpApp(
      (_, response) => void response.writeHead(403, { "content-length": "2" }).end("no"),
    );
    const box = await boxFor(app);
    const socket = await openTls(box.port);
    const early = receive(socket, "no");
    socket.write("POST /open/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\npart");
    expect(await early).toMatch(/^HTTP\/1\.1 403 /);
    const next = receive(socket, /HTTP\/1\.1 403 [^]*no/);
    socket.write("x".repeat(996));
    socket.write("GET /open/next HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(await next).toMatch(/^HTTP\/1\.1 403 /);
    socket.destroy();
  });

  it("do not oblige the gateway to read on for ever", async () => {
    const app = await startRawHttpApp((_, response) => void response.end("no"));
    const box = await boxFor(app, { limits: { linger: 60, lingerBytes: 5000 } });
    const received = await sendRaw(box.port, "POST /open/x HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\npart");
    expect(received).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe("bodies over the limit", () => {
  const limits = { body: 10, requestsPerMinute: 1000, concurrent: 10 };
  const access = { principals: [], rules: [{ allow: ["anonymous"], methods: ["POST" as const], path: "/**", limits }] };

  it("are refused by their declared length before the application hears of them", async () => {
    const app = await startApp();
    const box = await boxFor(app, { access });
    expect(problemCode(await call(box.port, "/x", { method: "POST", body: "12345678901" }))).toBe("body-too-large");
    expect(app.connections()).toBe(0);
    expect((await call(box.port, "/x", { method: "POST", body: "1234567890" })).status).toBe(200);
  });

  it("are refused while they stream, and the application never sees them end", async () => {
    const app = await startApp();
    const box = await boxFor(app, { access });
    const socket = await openTls(box.port);
    const refused = receive(socket, /"status":413/);
    socket.write("POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n");
    socket.write("5\r\n78901\r\n");
    expect(await refused).toMatch(/^HTTP\/1\.1 413 /);
    socket.write("0\r\n\r\n");
    const next = receive(socket, "ok");
    socket.write("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nnext");
    await next;
    expect(app.seen.map(({ body }) => body)).toEqual(["next"]);
    socket.destroy();
  });
});

describe("callers that go away", () => {
  async function heldRequest(): Promise<{ box: Fixture; arrived: Promise<IncomingMessage> }> {
    const arrived = Promise.withResolvers<IncomingMessage>();
    const app = await startRawHttpApp((request) => arrived.resolve(request));
    return { box: await boxFor(app, { logs: "metadata" }), arrived: arrived.promise };
  }

  it("have their request cut off at the application", async () => {
    const { box, arrived } = await heldRequest();
    const request = httpsRequest({ port: box.port, path: "/open/x", rejectUnauthorized: false, agent: false });
    request.on("error", () => {});
    request.end();
    const seen = await arrived;
    const closed = new Promise<void>((resolve) => void seen.socket.once("close", () => resolve()));
    request.destroy();
    await closed;
    expect(seen.socket.destroyed).toBe(true);
  });

  it("in the middle of their body do not leave the application with a whole one", async () => {
    const { box, arrived } = await heldRequest();
    const socket = await openTls(box.port);
    socket.write("POST /open/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    const seen = await arrived;
    seen.on("error", () => {});
    const closed = new Promise<void>((resolve) => void seen.socket.once("close", () => resolve()));
    socket.destroy();
    await closed;
    expect(seen.complete).toBe(false);
  });
});

describe("draining", () => {
  it("lets the request under way finish, takes no other, and closes", async () => {
    const held: ServerResponse[] = [];
    const app = await startRawHttpApp((_, response) => void held.push(response));
    const box = await boxFor(app);
    const socket = await openTls(box.port);
    const received = readUntilClosed(socket);
    socket.write(`${get}\r\n`);
    await expect.poll(() => held).toHaveLength(1);
    const drained = box.doors.drain(5000);
    await expect(openTls(box.port)).rejects.toThrow(/ECONNREFUSED/);
    held[0]?.end("late");
    expect(await received).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*Connection: close\r\n[^]*late/);
    await drained;
  });

  it("does not keep a connection whose answer had begun before", async () => {
    const held: ServerResponse[] = [];
    const app = await startRawHttpApp((_, response) => {
      held.push(response);
      response.write("begun ");
    });
    const box = await boxFor(app);
    const socket = await openTls(box.port);
    const begun = receive(socket, "begun");
    const received = readUntilClosed(socket);
    socket.write(`${get}\r\n`);
    await begun;
    const drained = box.doors.drain(600_000);
    held[0]?.end("late");
    await drained;
    expect(await received).toMatch(/begun [^]*late[^]*\r\n0\r\n\r\n$/);
  });

  it("cuts what does not end in time", async () => {
    const app = await startScriptedApp("", () => {});
    const box = await boxFor(app);
    const cut = sendRaw(box.port, `${get}\r\n`);
    await expect.poll(() => app.connections()).toBe(1);
    await box.doors.drain(50);
    expect(await cut).toBe("");
  });
});
