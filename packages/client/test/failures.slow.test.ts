/** Requests that do not end well: aborts, time limits, connections that end, answers that are none. */
import type { RequestListener } from "node:http";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { ConnectionError, SecureSession, TimeoutError } from "../src/index.ts";
import {
  evidenceFor,
  makeWorld,
  optionsFor,
  sendEvidence,
  startFakeBox,
  startHonest,
  type World,
} from "./fake-box/index.ts";

let world: World;

beforeAll(async () => {
  world = await makeWorld();
});

const never: RequestListener = () => {};
const stuck: RequestListener = (_, response) => void response.writeHead(200).write("begin");

describe("an abort", () => {
  test("before the request sends nothing", async () => {
    await using honest = await startHonest(world, never);
    const reason = new Error("changed my mind");
    const request = honest.session.post("/", { body: "x", signal: AbortSignal.abort(reason) });
    await expect(request).rejects.toBe(reason);
    expect(honest.box.received()).toBe("");
  });

  test("while the answer is waited for rejects with its reason, and closes the connection", async () => {
    await using honest = await startHonest(world, () => abort.abort(new Error("enough")));
    const abort = new AbortController();
    await expect(honest.session.get("/", { signal: abort.signal })).rejects.toThrow("enough");
    await honest.box.allClosed();
  });

  test("without a reason is an AbortError", async () => {
    await using honest = await startHonest(world, () => abort.abort());
    const abort = new AbortController();
    await expect(honest.session.get("/", { signal: abort.signal })).rejects.toMatchObject({ name: "AbortError" });
  });

  test("in the middle of a response ends its body", async () => {
    await using honest = await startHonest(world, stuck);
    const abort = new AbortController();
    const response = await honest.session.get("/", { signal: abort.signal });
    const reader = response.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("begin");
    abort.abort(new Error("enough"));
    await expect(reader?.read()).rejects.toThrow("enough");
    await honest.box.allClosed();
  });

  test("in the middle of an upload ends it", async () => {
    await using honest = await startHonest(world, (request) => void request.resume());
    const abort = new AbortController();
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (let count = 0; ; count += 1) {
        if (count === 20) abort.abort(new Error("enough"));
        yield new Uint8Array(10_000);
      }
    }
    await expect(honest.session.post("/", { body: endless(), signal: abort.signal })).rejects.toThrow("enough");
    await honest.box.allClosed();
  });

  test("does not wait for a connection that is still being attested, and nothing is sent on that", async () => {
    let goOn: (() => void) | undefined;
    let finish = (): void => {};
    await using box = await startFakeBox({
      identity: world.identity,
      answer: async (asked) => {
        const evidence = await evidenceFor(world, asked);
        const send = (): void => sendEvidence(asked.socket, evidence);
        if (asked.connection === 0) send();
        else goOn = send;
      },
      app: (_, response) => (finish = () => response.end("slow")),
    });
    const session = await SecureSession.connect(box.url, optionsFor(world));
    const slow = session.get("/slow").then((response) => response.text());
    const abort = new AbortController();
    const request = session.post("/", { body: "x", signal: abort.signal });
    const send = await vi.waitUntil(() => goOn);
    abort.abort(new Error("enough"));
    await expect(request).rejects.toThrow("enough");
    send();
    finish();
    expect(await slow).toBe("slow");
    await session.close();
    expect(box.connections[1]?.received).toBe("");
  });
});

describe("a time limit", () => {
  test("for the headers is a TimeoutError that names them", async () => {
    await using honest = await startHonest(world, never, { timeouts: { headers: 150 } });
    const error = await honest.session.get("/").catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ code: "timeout", phase: "headers", milliseconds: 150 });
  });

  test("for the body is a TimeoutError that names it", async () => {
    await using honest = await startHonest(world, stuck, { timeouts: { body: 150 } });
    const response = await honest.session.get("/");
    const error = await response.text().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ code: "timeout", phase: "body", milliseconds: 150 });
  });
});

describe("a connection that ends", () => {
  test.each(["get", "post"] as const)(
    "before the answer fails the %s that was sent, which is not repeated",
    async (verb) => {
      let requests = 0;
      await using honest = await startHonest(world, (request) => {
        requests += 1;
        request.socket.destroy();
      });
      const error = await honest.session[verb]("/").catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ConnectionError);
      expect(error).toMatchObject({ code: "closed", phase: "headers" });
      expect([requests, honest.box.connections.length]).toEqual([1, 1]);
    },
  );

  test("in the middle of a body fails the body, never shortens it", async () => {
    let cut = (): void => {};
    await using honest = await startHonest(world, (request, response) => {
      response.writeHead(200).write("begin");
      cut = () => void request.socket.destroy();
    });
    const response = await honest.session.get("/");
    cut();
    await expect(response.text()).rejects.toMatchObject({ name: "ConnectionError", code: "closed", phase: "body" });
  });
});

describe("an answer that is no HTTP/1.1 response", () => {
  test.each([
    ["noise", "noise\r\n\r\n"],
    ["a second Content-Length", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"],
    ["a head of 100 kB", `HTTP/1.1 200 OK\r\nx: ${"y".repeat(100_000)}\r\n\r\n`],
    ["a status beyond 599", "HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n"],
    ["an unasked upgrade", "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"],
  ])("such as %s is a ConnectionError that repeats nothing of it", async (_, answer) => {
    await using honest = await startHonest(world, (request) => void request.socket.write(answer));
    const error = await honest.session.get("/").catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(String(error)).not.toMatch(/noise|yyy|999/);
    expect((error as Error).cause).toBeUndefined();
  });
});

describe("a closed session", () => {
  test("takes no more requests, and can be closed again", async () => {
    await using honest = await startHonest(world, (_, response) => response.end("hello"));
    await (await honest.session.get("/")).text();
    await honest.session.close();
    await honest.session.close();
    await expect(honest.session.get("/")).rejects.toThrow(/closed/);
    await honest.box.allClosed();
  });

  test("lets requests in flight end", async () => {
    let finish = (): void => {};
    await using honest = await startHonest(world, (_, response) => (finish = () => response.end("late")));
    const request = honest.session.get("/").then((response) => response.text());
    while (honest.box.received() === "") await new Promise((resolve) => setTimeout(resolve, 5));
    const closed = honest.session.close();
    finish();
    expect(await request).toBe("late");
    await closed;
  });

  test("that sent nothing ends its connection", async () => {
    await using honest = await startHonest(world, never);
    await honest.session.close();
    await honest.box.allClosed();
    expect(honest.box.received()).toBe("");
  });
});
