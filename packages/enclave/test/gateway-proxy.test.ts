import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { startApp, startRawHttpApp, startScriptedApp } from "./fake-app.ts";
import { boxesForOneTest } from "./opened.ts";
import { call, openTls, problemCode, receive, sendRaw } from "./tls-caller.ts";

const boxFor = boxesForOneTest();

function pairs(raw: readonly string[] | undefined): string[] {
  return (raw ?? []).flatMap((name, at, all) => (at % 2 === 0 ? [`${name}: ${all[at + 1]}`] : []));
}

/** What the box says of whoever asks, and nobody else can. */
const caller = "x-blindbox-principal: anonymous";

const get = "GET /open/x HTTP/1.1\r\nHost: box.example:8443\r\n";

describe("headers towards the application", () => {
  it("are the caller's, in order, with the caller's name behind them", async () => {
    const app = await startApp();
    const box = await boxFor(app);
    await sendRaw(
      box.port,
      `${get}X-B: 1\r\nx-a: 2\r\nX-B: 3\r\nCookie: a=b\r\nUser-Agent: \xe9\r\nConnection: close\r\n\r\n`,
    );
    expect(pairs(app.seen[0]?.rawHeaders)).toEqual([
      "host: box.example:8443",
      "connection: keep-alive",
      "X-B: 1",
      "x-a: 2",
      "X-B: 3",
      "Cookie: a=b",
      "User-Agent: \xe9",
      caller,
    ]);
  });

  it("lack what is for one connection only, and what Connection names", async () => {
    const app = await startApp();
    const box = await boxFor(app);
    const hop =
      "Keep-Alive: 5\r\nProxy-Connection: x\r\nProxy-Authorization: x\r\nTE: trailers\r\nTrailer: X-T\r\nX-Mine: 1\r\nX-Stays: 1\r\n";
    await sendRaw(box.port, `${get}${hop}Connection: x-MINE, Close , host\r\n\r\n`);
    expect(pairs(app.seen[0]?.rawHeaders)).toEqual([
      "host: box.example:8443",
      "connection: keep-alive",
      "X-Stays: 1",
      caller,
    ]);
  });

  it.each([
    "X-Forwarded-For: 1.2.3.4",
    "X-Forwarded-Host: evil",
    "X-Forwarded-Proto: http",
    "x_forwarded_for: 1.2.3.4",
    "Forwarded: for=1.2.3.4",
    "Via: 1.1 x",
    "X-Real-IP: 1.2.3.4",
    "X-Blindbox-Principal: admin",
    "x_blindbox_principal: admin",
    "X-HTTP-Method-Override: DELETE",
    "X-Method-Override: DELETE",
    "X-Original-URL: /admin",
    "X-Rewrite-URL: /admin",
    "Transfer_Encoding: chunked",
    "X_Anything: 1",
    "Authorization_: x",
    "Proxy: http://evil.example",
    "X-Sendfile-Type: X-Accel-Redirect",
    "X-Accel-Mapping: /=/etc/",
    "Destination: /admin",
    "X-Forwarded: for=1.2.3.4",
    "True-Client-IP: 1.2.3.4",
    "Script-Name: /admin",
    "Path-Info: /admin",
    "X-Script-Name: /admin",
    "X-Host: evil",
    "X-Original-Host: evil",
    "X-Original-Path: /admin",
    "X-HTTP-Path-Override: /admin",
    "Request-URI: /admin",
  ])("lack the claim %s", async (line) => {
    const app = await startApp();
    const box = await boxFor(app);
    await sendRaw(box.port, `${get}${line}\r\nConnection: close\r\n\r\n`);
    expect(pairs(app.seen[0]?.rawHeaders)).toEqual(["host: box.example:8443", "connection: keep-alive", caller]);
  });
});

describe("headers towards the caller", () => {
  it("are the application's, with nothing added but framing", async () => {
    const body =
      "HTTP/1.1 418 Short and stout\r\nX-B: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nServer: app\r\nContent-Length: 2\r\n\r\nok";
    const app = await startScriptedApp(body, () => {});
    const box = await boxFor(app);
    const answer = await sendRaw(box.port, `${get}Connection: close\r\n\r\n`);
    expect(answer).toBe(
      "HTTP/1.1 418 I'm a Teapot\r\nX-B: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nServer: app\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
    );
  });

  it("lack what is for one connection only, and what speaks for the gateway", async () => {
    const lines =
      'Connection: X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=9\r\nProxy-Authenticate: x\r\nAlt-Svc: h3=":1"\r\nX-Blindbox-Verified: yes\r\nUpgrade: h2c\r\n';
    const app = await startScriptedApp(`HTTP/1.1 200 OK\r\n${lines}Content-Length: 2\r\n\r\nok`, () => {});
    const box = await boxFor(app);
    const answer = await sendRaw(box.port, `${get}Connection: close\r\n\r\n`);
    expect(answer).toBe("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
  });

  it("never come from two framings", async () => {
    const app = await startScriptedApp(
      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
      () => {},
    );
    const box = await boxFor(app);
    expect(problemCode(await call(box.port, "/open/x"))).toBe("app-failed");
  });
});

describe("streaming", () => {
  it("passes the head and each server-sent event on as soon as the application says it", async () => {
    const held: ServerResponse[] = [];
    const app = await startRawHttpApp((_, response) => {
      held.push(response);
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
    });
    const box = await boxFor(app);
    const socket = await openTls(box.port);
    const head = receive(socket, "\r\n\r\n");
    socket.write(`${get}\r\n`);
    expect(await head).toContain("text/event-stream");
    for (const event of ["data: one\n\n", "data: two\n\n"]) {
      const received = receive(socket, event);
      held[0]?.write(event);
      expect(await received).toContain(event);
    }
    socket.destroy();
  });

  it("passes the body on while the caller still sends it", async () => {
    const arrived: string[] = [];
    const first = Promise.withResolvers<void>();
    const app = await startRawHttpApp((request, response) => {
      request.on("data", (chunk: Buffer) => {
        arrived.push(chunk.toString());
        first.resolve();
      });
      request.on("end", () => response.end("done"));
    });
    const box = await boxFor(app);
    const socket = await openTls(box.port);
    socket.write("POST /open/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    await first.promise;
    const done = receive(socket, "done");
    socket.write("3\r\ntwo\r\n0\r\n\r\n");
    await done;
    expect(arrived.join("")).toBe("onetwo");
    socket.destroy();
  });

  it("carries a large body both ways unchanged", async () => {
    const app = await startApp(({ body }, response) => void response.end(Buffer.from(body, "latin1")));
    const access = {
      principals: [],
      rules: [
        {
          allow: ["anonymous"],
          methods: ["POST" as const],
          path: "/**",
          limits: { body: 20_000_000, requestsPerMinute: 10, concurrent: 1 },
        },
      ],
    };
    const box = await boxFor(app, { access });
    const body = Buffer.alloc(5_000_000, "0123456789abc");
    const answer = await call(box.port, "/x", { method: "POST", body });
    expect(answer.body === body.toString("latin1")).toBe(true);
  });

  it("passes trailers of the answer on, without what has no place there", async () => {
    const app = await startScriptedApp(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\nHost: x\r\nSet-Cookie: a\r\nAlt-Svc: x\r\nX-Blindbox-A: b\r\n\r\n",
      () => {},
    );
    const box = await boxFor(app);
    const answer = await sendRaw(box.port, `${get}Connection: close\r\n\r\n`);
    expect(answer.slice(answer.indexOf("\r\n\r\n") + 4)).toBe("2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n");
  });

  it("answers 100-continue itself, and only after the access decision", async () => {
    const app = await startApp();
    const box = await boxFor(app);
    const socket = await openTls(box.port);
    const go = receive(socket, "\r\n\r\n");
    socket.write("POST /open/x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    expect(await go).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    expect(app.seen).toEqual([]);
    const done = receive(socket, "ok");
    socket.write("body");
    await done;
    expect(app.seen).toMatchObject([{ body: "body" }]);
    expect(pairs(app.seen[0]?.rawHeaders).join()).not.toMatch(/expect/i);
    socket.destroy();
    const refused = await sendRaw(
      box.port,
      "POST /a/x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 47\r\n\r\n",
    );
    expect(refused).toMatch(/^HTTP\/1\.1 401 [^]*connection: close/i);
    expect(app.seen).toHaveLength(1);
  });

  it("swallows interim answers of the application", async () => {
    const app = await startScriptedApp(
      "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
      () => {},
    );
    const box = await boxFor(app);
    expect(await sendRaw(box.port, `${get}Connection: close\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 OK/);
  });
});

describe("the request log", () => {
  it("says rule, outcome and time, and nothing that caller or application chose", async () => {
    const app = await startApp((_, response) => void response.writeHead(299, "secret-reason").end("secret-body"));
    const box = await boxFor(app, { logs: "metadata" });
    await call(box.port, "/open/secret-path?secret=1", { headers: { "x-secret": "1" } });
    await call(box.port, "/a/secret-path");
    await call(box.port, "/.well-known/blindbox/secret-path");
    await expect.poll(() => box.events).toHaveLength(3);
    expect(box.events).toEqual([
      { event: "request", rule: 2, outcome: "answered", ms: expect.any(Number) },
      { event: "request", rule: null, outcome: "unauthenticated", ms: expect.any(Number) },
      { event: "request", rule: null, outcome: "not-found", ms: expect.any(Number) },
    ]);
    expect(JSON.stringify(box.events)).not.toContain("secret");
  });

  it("is empty by default", async () => {
    const box = await boxFor(await startApp());
    await call(box.port, "/open/x");
    expect(box.events).toEqual([]);
  });
});
