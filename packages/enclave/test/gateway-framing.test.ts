import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { gatewayLimits } from "../src/gateway/index.ts";
import { Relay } from "../src/gateway/relay.ts";
import { startApp, startScriptedApp } from "./fake-app.ts";
import { startHostileApp, takeAnswer } from "./gateway-raw-answers.ts";
import { boxesForOneTest } from "./opened.ts";
import { call, openTls, problemCode, readUntilClosed, receive } from "./tls-caller.ts";

const boxFor = boxesForOneTest();

type Row = readonly [name: string, method: string, bytes: string, status: number, body: string | RegExp];

const failed = /"urn:blindbox:problem:app-failed"/;
const ok = "HTTP/1.1 200 OK\r\n";
const none = "HTTP/1.1 204 No Content\r\n";
const chunks = "2\r\nok\r\n0\r\n\r\n";

/** What an application may say so that the caller's connection says something else than the gateway means. */
const hostile: readonly Row[] = [
  ["a 204 with Trailer", "GET", `${none}Trailer: x\r\n\r\n`, 204, ""],
  ["a 204 with a length", "GET", `${none}Content-Length: 5\r\n\r\n`, 204, ""],
  ["a 204 with a length and its body", "GET", `${none}Content-Length: 5\r\n\r\nhello`, 204, ""],
  ["a 204 with chunks", "GET", `${none}Transfer-Encoding: chunked\r\n\r\n${chunks}`, 204, ""],
  ["a 204 with chunks and Trailer", "GET", `${none}Transfer-Encoding: chunked\r\nTrailer: x\r\n\r\n${chunks}`, 204, ""],
  ["a 304 with Trailer", "GET", "HTTP/1.1 304 Not Modified\r\nTrailer: x\r\n\r\n", 304, ""],
  ["a 304 with a length", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, ""],
  ["a length with Trailer", "GET", `${ok}Content-Length: 2\r\nTrailer: x\r\n\r\nok`, 200, "ok"],
  ["chunks with Trailer", "GET", `${ok}Transfer-Encoding: chunked\r\nTrailer: x\r\n\r\n${chunks}`, 200, "ok"],
  ["a length to HEAD", "HEAD", `${ok}Content-Length: 9\r\n\r\n`, 200, ""],
  ["a length and Trailer to HEAD", "HEAD", `${ok}Content-Length: 9\r\nTrailer: x\r\n\r\n`, 200, ""],
  ["chunks to HEAD", "HEAD", `${ok}Transfer-Encoding: chunked\r\nTrailer: x\r\n\r\n`, 200, ""],
  ["gzip before chunked", "GET", `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n${chunks}`, 502, failed],
  ["chunked twice", "GET", `${ok}Transfer-Encoding: chunked, chunked\r\n\r\n${chunks}`, 502, failed],
  [
    "two lines of codings",
    "GET",
    `${ok}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
    502,
    failed,
  ],
  ["chunked before gzip", "GET", `${ok}Transfer-Encoding: chunked, gzip\r\n\r\n${chunks}`, 502, failed],
  ["a coding but no chunks", "GET", `${ok}Transfer-Encoding: gzip\r\n\r\nok`, 502, failed],
  ["a coding on a 204", "GET", `${none}Transfer-Encoding: gzip, chunked\r\n\r\n`, 502, failed],
  ["a coding to HEAD", "HEAD", `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`, 502, ""],
  [
    "a length that Connection names",
    "GET",
    `${ok}Connection: content-length\r\nContent-Length: 2\r\n\r\nok`,
    200,
    "ok",
  ],
  ["a length of nothing", "GET", `${ok}Content-Length: 0\r\nTrailer: x\r\n\r\n`, 200, ""],
  ["a folded length", "GET", `${ok}Content-Length:\r\n 2\r\n\r\nok`, 502, failed],
  ["a signed length", "GET", `${ok}Content-Length: +2\r\n\r\nok`, 502, failed],
  ["more than its length", "GET", `${ok}Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n`, 200, "ok"],
  ["a second answer", "GET", `${none}Trailer: x\r\n\r\n${ok}Content-Length: 4\r\n\r\nevil`, 204, ""],
  ["Connection: close and Trailer", "GET", `${none}Connection: close, trailer\r\nTrailer: x\r\n\r\n`, 204, ""],
  ["interim answers with a length", "GET", `HTTP/1.1 103 X\r\nContent-Length: 5\r\n\r\n${none}\r\n`, 204, ""],
];

describe("the answer to a caller that stays", () => {
  it.each(hostile)("is framed exactly where the application says %s", async (_, method, bytes, status, body) => {
    const box = await boxFor(await startHostileApp(bytes));
    const socket = await openTls(box.port);
    const received = readUntilClosed(socket);
    socket.write(`${method} /open/first HTTP/1.1\r\nHost: x\r\n\r\n`);
    socket.write("GET /open/second HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const first = takeAnswer(await received, method);
    expect(first.answer.status).toBe(status);
    if (typeof body === "string") expect(first.answer.body).toBe(body);
    else expect(first.answer.body).toMatch(body);
    if (status === 204) expect(first.answer.headers.map(([name]) => name)).not.toContain("content-length");
    const second = takeAnswer(first.rest, "GET");
    expect([second.answer.status, second.answer.body, second.rest]).toEqual([200, "second", ""]);
  });
});

describe("a head that Node refuses to write", () => {
  it("cuts the connection, and nothing of it is sent", async () => {
    const problems: string[] = [];
    let aborted = false;
    const server = createServer((_, response: ServerResponse) => {
      const relay = new Relay({
        response,
        draining: () => false,
        appLives: () => true,
        limits: { ...gatewayLimits, answerBytes: 1_000_000_000 },
        onProblem: (code) => problems.push(code),
      });
      const controller = {
        rawHeaders: ["X-A", "b\u0001c"].map((each) => Buffer.from(each)),
        rawTrailers: null,
        aborted: false,
        paused: false,
        reason: null,
        pause: () => {},
        resume: () => {},
        abort: () => (aborted = true),
      };
      relay.onRequestStart(controller);
      relay.onResponseStart(controller, 204);
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.on("error", () => {}).write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const received: unknown[] = [];
    socket.on("data", (chunk) => received.push(chunk));
    await new Promise<void>((resolve) => void socket.once("close", () => resolve()));
    expect([received, problems, aborted]).toEqual([[], ["app-failed"], true]);
    server.close();
  });
});

describe("interim answers of the application", () => {
  const limits = { body: 10, requestsPerMinute: 1000, concurrent: 1 };
  const methods = ["GET" as const, "POST" as const];
  const access = { principals: [], rules: [{ allow: ["anonymous"], methods, path: "/**", limits }] };
  const interim = "HTTP/1.1 102 Processing\r\n\r\n";

  it.each(["GET", "POST"])("do not put off the end of its time to answer a %s", async (method) => {
    const upstreamClosed = Promise.withResolvers<void>();
    const app = await startScriptedApp(interim, (socket) => {
      const timer = setInterval(() => socket.write(interim), 40);
      socket.once("close", () => {
        clearInterval(timer);
        upstreamClosed.resolve();
      });
    });
    const box = await boxFor(app, { access, limits: { answer: 200, interimAnswers: 1_000_000 } });
    for (const path of ["/first", "/again"]) {
      const answer = await call(box.port, path, { method, ...(method === "POST" ? { body: "body" } : {}) });
      expect([answer.status, problemCode(answer)]).toEqual([504, "app-timeout"]);
    }
    await upstreamClosed.promise;
  });

  it("are bounded in number, whether or not an answer follows", async () => {
    const end = `${ok}Content-Length: 2\r\n\r\nok`;
    const enough = await boxFor(await startScriptedApp(interim.repeat(3) + end, () => {}), {
      access,
      limits: { interimAnswers: 3 },
    });
    expect((await call(enough.port, "/x")).body).toBe("ok");
    const app = await startScriptedApp(interim.repeat(4) + end, (socket) => void socket.once("close", closed.resolve));
    const closed = Promise.withResolvers<void>();
    const tooMany = await boxFor(app, { access, limits: { interimAnswers: 3 } });
    for (const path of ["/first", "/again"]) expect(problemCode(await call(tooMany.port, path))).toBe("app-failed");
    await closed.promise;
  });

  it("and answers are waited for from the end of a slow upload on, not from its start", async () => {
    const box = await boxFor(await startApp(), { limits: { answer: 300, request: 60_000 } });
    const socket = await openTls(box.port);
    const answered = receive(socket, /ok$/);
    socket.write("POST /open/x HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n");
    for (const byte of "upload") {
      await setTimeout(100);
      socket.write(byte);
    }
    expect(await answered).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
  });
});
