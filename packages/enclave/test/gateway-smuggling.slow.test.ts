import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FakeApp, startApp } from "./fake-app.ts";
import { type Fixture, startGateway } from "./gateway-fixture.ts";
import { openTls, readUntilClosed, receive, sendRaw } from "./tls-caller.ts";

let app: FakeApp;
let box: Fixture;

beforeAll(async () => {
  app = await startApp();
  box = await startGateway({ appPort: app.port, limits: { headers: 300, request: 600, idle: 400, pipelined: 4 } });
});
afterAll(async () => {
  await box.close();
  await app.close();
});
beforeEach(() => void app.seen.splice(0));

const smuggled = "GET /open/smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
const head = "POST /open/first HTTP/1.1\r\nHost: x\r\n";

/** Every shape over which two honest parsers have disagreed, with a second request hidden in it. */
const shapes: readonly (readonly [name: string, bytes: string])[] = [
  [
    "both Content-Length and Transfer-Encoding",
    `${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  ["both, the other way round", `${head}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${smuggled}`],
  ["two Content-Lengths", `${head}Content-Length: 0\r\nContent-Length: 45\r\n\r\n${smuggled}`],
  ["two equal Content-Lengths", `${head}Content-Length: 0\r\nContent-Length: 0\r\n\r\n${smuggled}`],
  ["a list of Content-Lengths", `${head}Content-Length: 0, 0\r\n\r\n${smuggled}`],
  ["a signed Content-Length", `${head}Content-Length: +0\r\n\r\n${smuggled}`],
  ["a negative Content-Length", `${head}Content-Length: -1\r\n\r\n${smuggled}`],
  ["a hexadecimal Content-Length", `${head}Content-Length: 0x0\r\n\r\n${smuggled}`],
  ["an empty Content-Length", `${head}Content-Length: \r\n\r\n${smuggled}`],
  ["a Content-Length beyond exact numbers", `${head}Content-Length: 99999999999999999999\r\n\r\n${smuggled}`],
  ["an unknown Transfer-Encoding", `${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`],
  [
    "an unknown Transfer-Encoding before chunked",
    `${head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  ["chunked that is not the last", `${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`],
  ["chunked twice in a list", `${head}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  [
    "two Transfer-Encodings",
    `${head}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  [
    "two Transfer-Encodings, one unknown",
    `${head}Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  ["a quoted Transfer-Encoding", `${head}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n${smuggled}`],
  ["a tab inside Transfer-Encoding", `${head}Transfer-Encoding: chun\tked\r\n\r\n0\r\n\r\n${smuggled}`],
  ["a vertical tab before chunked", `${head}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ["space before the colon", `${head}Content-Length : 0\r\n\r\n${smuggled}`],
  ["space before the colon of Transfer-Encoding", `${head}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ["a folded header", `${head}X-Fold: a\r\n b\r\n\r\n${smuggled}`],
  ["a folded Transfer-Encoding", `${head}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ["space before the first header", `POST /open/first HTTP/1.1\r\n Host: x\r\n\r\n${smuggled}`],
  ["bare LF between headers", `POST /open/first HTTP/1.1\nHost: x\n\n${smuggled}`],
  ["one bare LF", `${head}X-A: b\nX-C: d\r\n\r\n${smuggled}`],
  ["bare CR in a value", `${head}X-A: b\rX-C: d\r\n\r\n${smuggled}`],
  ["a zero byte in a value", `${head}X-A: b\0c\r\n\r\n${smuggled}`],
  ["a zero byte in a name", `${head}X-\0A: b\r\n\r\n${smuggled}`],
  ["a header without name", `${head}: b\r\n\r\n${smuggled}`],
  ["a header without colon", `${head}nonsense\r\n\r\n${smuggled}`],
  ["a name with a space in it", `${head}Content Length: 0\r\n\r\n${smuggled}`],
  ["bare LF after a chunk size", `${head}Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n${smuggled}`],
  ["a negative chunk size", `${head}Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n${smuggled}`],
  ["a chunk size of 2^64", `${head}Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n${smuggled}`],
  ["a chunk size with a prefix", `${head}Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n${smuggled}`],
  ["a chunk longer than its size", `${head}Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n${smuggled}`],
  ["a tab in the request line", `POST\t/open/first HTTP/1.1\r\nHost: x\r\n\r\n${smuggled}`],
  ["a method nobody knows", `SMUGGLE /open/first HTTP/1.1\r\nHost: x\r\n\r\n${smuggled}`],
  ["a version nobody knows", `POST /open/first HTTP/1.2\r\nHost: x\r\n\r\n${smuggled}`],
  ["another protocol", `POST /open/first ICE/1.1\r\nHost: x\r\n\r\n${smuggled}`],
  ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["no Host", `POST /open/first HTTP/1.1\r\nX-Host: x\r\n\r\n${smuggled}`],
  ["two Hosts", `${head}Host: y\r\n\r\n${smuggled}`],
  ["a Host with a path", `POST /open/first HTTP/1.1\r\nHost: x/y\r\n\r\n${smuggled}`],
  ["a Host with a user", `POST /open/first HTTP/1.1\r\nHost: a@b\r\n\r\n${smuggled}`],
  ["a Host list", `POST /open/first HTTP/1.1\r\nHost: a, b\r\n\r\n${smuggled}`],
  ["an empty Host", `POST /open/first HTTP/1.1\r\nHost:\r\n\r\n${smuggled}`],
  ["a Host with an underscore", `POST /open/first HTTP/1.1\r\nHost: a_b\r\n\r\n${smuggled}`],
];

describe("requests that two parsers could read differently", () => {
  it.each(shapes)("refuses %s, and closes", async (_, bytes) => {
    const answer = await sendRaw(box.port, bytes);
    expect(answer).toMatch(/^HTTP\/1\.1 (?:400|505) /);
    expect(answer.toLowerCase()).toContain("connection: close");
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(app.seen).toEqual([]);
  });

  it("refuses each of them when it comes byte by byte", async () => {
    for (const [, bytes] of shapes.slice(0, 12)) {
      expect(await sendRaw(box.port, ...bytes.split(""))).toMatch(/^HTTP\/1\.1 (?:400|505) /);
    }
    expect(app.seen).toEqual([]);
  });

  it.each([
    ["1.0", "GET /open/x HTTP/1.0\r\nHost: x\r\n\r\n"],
    ["1.0 that wants to stay", "GET /open/x HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"],
    ["0.9", "GET /open/x\r\n\r\n"],
  ])("refuses HTTP/%s", async (_, bytes) => {
    expect(await sendRaw(box.port, bytes)).toMatch(/^HTTP\/1\.1 (?:400|505) /);
    expect(app.seen).toEqual([]);
  });

  it.each([
    ["CONNECT", "CONNECT app:80 HTTP/1.1\r\nHost: app:80\r\n\r\n"],
    ["Upgrade to WebSocket", "GET /open/x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"],
    [
      "Upgrade to h2c",
      "GET /open/x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    ],
    ["Upgrade that Connection does not name", "GET /open/x HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n"],
  ])("refuses %s", async (_, bytes) => {
    const answer = await sendRaw(box.port, bytes + smuggled);
    expect(answer).toMatch(/^HTTP\/1\.1 501 /);
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(app.seen).toEqual([]);
  });

  it.each(["CONNECT app:80 HTTP/1.1\r\nHost: app:80\r\n\r\n", "nonsense\r\n\r\n"])(
    "lives on when the caller of %j is gone before the answer",
    async (bytes) => {
      for (let count = 0; count < 20; count += 1) {
        const socket = await openTls(box.port);
        socket.write(bytes, () => socket.destroy());
        await new Promise<void>((resolve) => void socket.once("close", () => resolve()));
      }
    },
  );

  it("refuses an expectation that it does not know", async () => {
    const bytes = `${head}Expect: miracles\r\nContent-Length: 0\r\n\r\n${smuggled}`;
    expect(await sendRaw(box.port, bytes)).toMatch(/^HTTP\/1\.1 417 /);
    expect(app.seen).toEqual([]);
  });
});

describe("a plain request in unusual clothes", () => {
  it.each([
    [
      "chunk extensions",
      "POST /open/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\n\r\n",
      "abc",
    ],
    [
      "Chunked in capitals",
      "POST /open/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: CHUNKED\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      "abc",
    ],
    [
      "two spaces in the request line",
      "POST  /open/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\na",
      "a",
    ],
    [
      "an IPv6 Host",
      "POST /open/x HTTP/1.1\r\nHost: [::1]:8443\r\nConnection: close\r\nContent-Length: 1\r\n\r\na",
      "a",
    ],
  ])("is understood: %s", async (_, bytes, body) => {
    expect(await sendRaw(box.port, bytes)).toMatch(/^HTTP\/1\.1 200 /);
    expect(app.seen).toMatchObject([{ method: "POST", body }]);
  });

  it("reaches the application with framing of the gateway's own", async () => {
    await sendRaw(
      box.port,
      "POST /open/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n3;a=b\r\nabc\r\n0\r\nX-T: t\r\n\r\n",
    );
    const [host, x, connection, keepAlive, caller, anonymous, ...framing] = app.seen[0]?.rawHeaders ?? [];
    expect([host, x, connection, keepAlive]).toEqual(["host", "x", "connection", "keep-alive"]);
    expect([caller, anonymous]).toEqual(["x-blindbox-principal", "anonymous"]);
    expect([
      ["content-length", "3"],
      ["transfer-encoding", "chunked"],
    ]).toContainEqual(framing);
  });
});

describe("time and size", () => {
  it("answers 431 to a head that is too large", async () => {
    expect(await sendRaw(box.port, `GET /open/x HTTP/1.1\r\nHost: x\r\nX-A: ${"a".repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    expect(app.seen).toEqual([]);
  });

  it("answers 431 to too many header lines", async () => {
    expect(await sendRaw(box.port, `GET /open/x HTTP/1.1\r\nHost: x\r\n${"A: b\r\n".repeat(100)}\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    expect(app.seen).toEqual([]);
  });

  it("closes a connection on which nothing is asked", async () => {
    expect(await readUntilClosed(await openTls(box.port))).toMatch(/^(?:HTTP\/1\.1 408 |$)/);
  });

  it("gives up a body that does not end, and lets the application know", async () => {
    const answer = await sendRaw(box.port, `${head}Content-Length: 10\r\n\r\nabc`);
    expect(answer).toMatch(/^(?:HTTP\/1\.1 408 |$)/);
    expect(app.seen).toEqual([]);
  });

  it("closes a connection that idles between requests", async () => {
    const socket = await openTls(box.port);
    const received = readUntilClosed(socket);
    socket.write("GET /open/x HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(await received).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("answers pipelined requests in order, and cuts a connection that has too many unanswered", async () => {
    const socket = await openTls(box.port);
    socket.write(smuggled.repeat(3));
    expect((await receive(socket, /(ok[^]*){3}/)).match(/HTTP\/1\.1 200/g)).toHaveLength(3);
    socket.destroy();
    const greedy = await openTls(box.port);
    const received = readUntilClosed(greedy);
    greedy.write(smuggled.repeat(5));
    expect(await received).toBe("");
  });
});

describe("a head that does not end", () => {
  const part = "GET /open/x HTTP/1.1\r\nHost: x\r\nX-Slow: ";
  let patient: Fixture;

  // The whole request may take for ever here, so nothing but the limit on heads can end it.
  beforeAll(async () => {
    const limits = { headers: 300, request: 600_000, idle: 600_000, handshake: 600_000 };
    patient = await startGateway({ appPort: app.port, limits });
  });
  afterAll(() => patient.close());

  it("is answered 408", async () => {
    expect(await sendRaw(patient.port, part)).toMatch(/^HTTP\/1\.1 408 /);
    expect(app.seen).toEqual([]);
  });

  it("is answered 408 though a byte comes now and then", async () => {
    const socket = await openTls(patient.port);
    const received = readUntilClosed(socket);
    socket.write(part);
    const timer = setInterval(() => socket.write("a"), 30);
    expect(await received).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(timer);
    expect(app.seen).toEqual([]);
  });

  it("is answered 408 on a connection that was of use before", async () => {
    const socket = await openTls(patient.port);
    const first = receive(socket, "ok");
    socket.write("GET /open/x HTTP/1.1\r\nHost: x\r\n\r\n");
    await first;
    const received = readUntilClosed(socket);
    socket.write(part);
    expect(await received).toMatch(/^HTTP\/1\.1 408 /);
    expect(app.seen).toHaveLength(1);
  });
});

afterEach(async () => {
  expect(
    (await sendRaw(box.port, "GET /open/alive HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).slice(0, 12),
  ).toBe("HTTP/1.1 200");
});
