/** What goes over an attested connection, and what comes back. */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { beforeAll, describe, expect, test } from "vitest";
import type { RequestBody } from "../src/index.ts";
import { apiKey, makeWorld, sha256, startFakeBox, startHonest, type World } from "./fake-box/index.ts";

let world: World;

beforeAll(async () => {
  world = await makeWorld();
});

/** Never settles where the request breaks off: then there is nobody to answer. */
function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  request.on("error", () => {}).on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => request.on("end", () => resolve(Buffer.concat(chunks))));
}

/** Answers with what it was asked. */
const echo: RequestListener = (request, response) =>
  void bodyOf(request).then((body) => {
    const { method, url, headers } = request;
    response.setHeader("content-type", "application/json");
    return response.end(JSON.stringify({ method, url, headers, body: body.toString("base64") }));
  });

interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

async function echoOf(response: Response): Promise<Echo> {
  return (await response.json()) as Echo;
}

function textOf({ body }: Echo): string {
  return Buffer.from(body, "base64").toString();
}

describe("a request", () => {
  test.each(["get", "post", "put", "patch", "delete", "options"] as const)(
    "made by %s arrives with its method, target and credential",
    async (verb) => {
      await using honest = await startHonest(world, echo);
      const arrived = await echoOf(await honest.session[verb]("/a/b?c=d%20e"));
      expect(arrived).toMatchObject({ method: verb.toUpperCase(), url: "/a/b?c=d%20e" });
      expect(arrived.headers["authorization"]).toBe(`Bearer ${apiKey}`);
    },
  );

  test("made by request takes any method", async () => {
    await using honest = await startHonest(world, echo);
    expect(await echoOf(await honest.session.request("propfind", "/"))).toMatchObject({ method: "PROPFIND" });
  });

  test("made by head has no body", async () => {
    await using honest = await startHonest(world, (_, response) => response.setHeader("content-length", 5).end());
    const response = await honest.session.head("/");
    expect([response.status, response.headers.get("content-length"), response.body]).toEqual([200, "5", null]);
  });

  test("leaves Authorization to the application where the caller sets it", async () => {
    await using honest = await startHonest(world, echo);
    const { headers } = await echoOf(await honest.session.get("/", { headers: { Authorization: "Bearer app" } }));
    expect(headers).toMatchObject({ authorization: "Bearer app", "x-blindbox-authorization": `Bearer ${apiKey}` });
  });

  test("carries no credential for an anonymous caller", async () => {
    await using honest = await startHonest(world, echo, { credentials: { anonymous: true } });
    const { headers } = await echoOf(await honest.session.get("/"));
    expect(Object.keys(headers).filter((name) => name.includes("authorization"))).toEqual([]);
  });

  test("is sent by `session.fetch` alone, as libraries call it", async () => {
    await using honest = await startHonest(world, echo);
    const fetch: typeof globalThis.fetch = honest.session.fetch;
    const url = new URL("/v1/chat", honest.box.url);
    const arrived = await echoOf(await fetch(url, { method: "POST", body: "{}", headers: { a: "b" } }));
    expect(arrived).toMatchObject({ method: "POST", url: "/v1/chat", headers: { a: "b" } });
    expect(await echoOf(await fetch(new Request(url, { method: "PUT", body: "x" })))).toMatchObject({ method: "PUT" });
  });

  test("is not sent to another origin, nor anywhere", async () => {
    await using other = await startFakeBox({ identity: world.identity, answer: () => {} });
    await using honest = await startHonest(world, echo);
    for (const target of [`${other.url}/`, `//127.0.0.1:${other.port}/`, new URL(other.url), "http://127.0.0.1/"]) {
      await expect(honest.session.post(target, { body: "x" })).rejects.toBeInstanceOf(TypeError);
      await expect(honest.session.fetch(target, { method: "POST", body: "x" })).rejects.toBeInstanceOf(TypeError);
    }
    expect([other.connections.length, honest.box.received()]).toEqual([0, ""]);
  });

  test("is returned, not followed, when the box answers with a redirect", async () => {
    await using other = await startFakeBox({ identity: world.identity, answer: () => {} });
    const redirect = (code: number) => (_: IncomingMessage, response: ServerResponse) =>
      response.writeHead(code, { location: `${other.url}/stolen` }).end();
    for (const code of [301, 302, 303, 307, 308]) {
      await using honest = await startHonest(world, redirect(code));
      const response = await honest.session.post("/", { body: "x" });
      expect([response.status, response.headers.get("location")]).toEqual([code, `${other.url}/stolen`]);
      expect(honest.box.received().match(/POST \//g)).toHaveLength(1);
    }
    expect(other.connections).toEqual([]);
  });
});

describe("a body", () => {
  const large = new Uint8Array(3_000_000).map((_, at) => at % 251);

  test.each<[string, () => RequestBody, string, string | undefined]>([
    ["a string", () => "héllo", "héllo", "6"],
    ["an empty string", () => "", "", "0"],
    ["a view on the middle of a buffer", () => new TextEncoder().encode("-hello-").subarray(1, 6), "hello", "5"],
    ["an ArrayBuffer", () => new TextEncoder().encode("hello").slice().buffer, "hello", "5"],
    ["a DataView", () => new DataView(new TextEncoder().encode("-hello-").slice().buffer, 1, 5), "hello", "5"],
    ["URLSearchParams", () => new URLSearchParams({ a: "b c" }), "a=b+c", "5"],
    ["a Blob", () => new Blob(["hel", "lo"], { type: "text/x" }), "hello", "5"],
    ["a web stream", () => new Blob(["hello"]).stream(), "hello", undefined],
  ])("given as %s arrives whole", async (_, body, expected, length) => {
    await using honest = await startHonest(world, echo);
    const arrived = await echoOf(await honest.session.post("/", { body: body() }));
    expect([textOf(arrived), arrived.headers["content-length"]]).toEqual([expected, length]);
  });

  test("given as a generator or a Node stream is sent as it is read", async () => {
    await using honest = await startHonest(world, echo);
    async function* parts(): AsyncGenerator<Uint8Array> {
      for (const part of ["one ", "two ", "three"]) yield new TextEncoder().encode(part);
    }
    expect(textOf(await echoOf(await honest.session.post("/", { body: parts() })))).toBe("one two three");
    const stream = Readable.from([Buffer.from("a"), Buffer.from("b")]);
    expect(textOf(await echoOf(await honest.session.put("/", { body: stream })))).toBe("ab");
  });

  test("that is streamed may have a stated length, and no other", async () => {
    await using honest = await startHonest(world, echo);
    const stream = (): ReadableStream => new Blob(["hello"]).stream();
    const right = await honest.session.post("/", { body: stream(), headers: { "content-length": "5" } });
    expect((await echoOf(right)).headers["content-length"]).toBe("5");
    const wrong = honest.session.post("/", { body: stream(), headers: { "content-length": "4" } });
    await expect(wrong).rejects.toThrow(/content-length/);
  });

  test("given as FormData is multipart of a known length, files among it", async () => {
    await using honest = await startHonest(world, echo);
    const sent = new FormData();
    sent.append("model", "small");
    sent.append("file", new Blob([large], { type: "audio/wav" }), 'a "b".wav');
    const arrived = await echoOf(await honest.session.post("/", { body: sent }));
    const headers = { "content-type": arrived.headers["content-type"] ?? "" };
    const form = await new Response(Buffer.from(arrived.body, "base64"), { headers }).formData();
    const file = form.get("file") as File;
    const length = Number(arrived.headers["content-length"]);
    expect([form.get("model"), file.name, file.type, length > large.length]).toEqual([
      "small",
      'a "b".wav',
      "audio/wav",
      true,
    ]);
    expect(Buffer.from(await file.arrayBuffer()).equals(large)).toBe(true);
  });

  test("that fails while it is read ends the request with the caller's own error", async () => {
    await using honest = await startHonest(world, echo);
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(1);
      throw new RangeError("the disk is gone");
    }
    await expect(honest.session.post("/", { body: broken() })).rejects.toThrow(new RangeError("the disk is gone"));
    expect((await honest.session.get("/")).status).toBe(200);
  });

  test("is read no faster than the box takes it", async () => {
    let release = (): void => {};
    await using honest = await startHonest(world, (request, response) => {
      release = () => void request.resume().on("end", () => response.end());
    });
    let taken = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (; taken < 400; taken += 1) yield new Uint8Array(100_000);
    }
    const answer = honest.session.post("/", { body: endless() });
    await settled(() => taken);
    expect(taken).toBeLessThan(200);
    release();
    expect((await answer).status).toBe(200);
    expect(taken).toBe(400);
  });
});

/** Waits until a number has not changed for a while. */
async function settled(count: () => number): Promise<void> {
  for (let before = -1; before !== count(); ) {
    before = count();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

describe("a response", () => {
  test("is the platform's own Response, with every field of the answer", async () => {
    await using honest = await startHonest(world, (_, response) =>
      response.writeHead(418, "Teapot", { "set-cookie": ["a=1", "b=2"], "x-twice": ["1", "2"] }).end("short"),
    );
    const response = await honest.session.get("/");
    expect(response).toBeInstanceOf(Response);
    expect([response.status, response.statusText, response.ok]).toEqual([418, "Teapot", false]);
    expect([response.headers.getSetCookie(), response.headers.get("x-twice")]).toEqual([["a=1", "b=2"], "1, 2"]);
    expect(new TextDecoder().decode(await response.arrayBuffer())).toBe("short");
  });

  test.each([204, 205, 304])("of status %i has no body and frees its connection", async (status) => {
    await using honest = await startHonest(world, (_, response) => response.writeHead(status).end());
    for (let turn = 0; turn < 3; turn += 1) {
      const response = await honest.session.get("/");
      expect([response.status, response.body]).toEqual([status, null]);
    }
    expect(honest.box.connections).toHaveLength(1);
  });

  test("of many megabytes arrives whole, and no faster than it is read", async () => {
    const piece = Buffer.alloc(100_000, 7);
    let written = 0;
    const write = (response: ServerResponse): void => {
      while (written < 200) {
        written += 1;
        if (!response.write(piece)) return void response.once("drain", () => write(response));
      }
      response.end();
    };
    await using honest = await startHonest(world, (_, response) => write(response));
    const response = await honest.session.get("/");
    await settled(() => written);
    expect(written).toBeLessThan(150);
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect([bytes.length, bytes.every((byte) => byte === 7)]).toEqual([20_000_000, true]);
  });

  test("of server-sent events shows each event when it is sent", async () => {
    let next = (): void => {};
    await using honest = await startHonest(world, (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      let count = 0;
      next = () => (count < 3 ? response.write(`data: ${(count += 1)}\n\n`) : response.end());
    });
    const response = await honest.session.get("/events");
    const seen: string[] = [];
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let turn = 0; turn < 4; turn += 1) {
      next();
      seen.push((await reader?.read())?.value ?? "end");
    }
    expect(seen).toEqual(["data: 1\n\n", "data: 2\n\n", "data: 3\n\n", "end"]);
  });

  test("that is not wanted any more ends its connection, and the next request has a new one", async () => {
    await using honest = await startHonest(world, ({ url }, response) => {
      if (url === "/endless")
        Readable.from(endlessly())
          .on("error", () => {})
          .pipe(response);
      else response.end("hello");
    });
    const response = await honest.session.get("/endless");
    await response.body?.cancel();
    expect(await (await honest.session.get("/")).text()).toBe("hello");
    expect(honest.box.connections.map(({ asked }) => asked !== "")).toEqual([true, true]);
  });

  test("is asked for uncompressed, and a compressed one is left as it is", async () => {
    await using honest = await startHonest(world, ({ headers }, response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end(String(headers["accept-encoding"])),
    );
    const response = await honest.session.get("/");
    expect([response.headers.get("content-encoding"), await response.text()]).toEqual(["gzip", "identity"]);
  });

  test("can be checked against what was sent, byte for byte", async () => {
    const text = "0123456789".repeat(100_000);
    await using honest = await startHonest(world, (request, response) => void request.pipe(response));
    const echoed = await (await honest.session.post("/", { body: text })).text();
    expect(await sha256(echoed)).toBe(await sha256(text));
  });
});

async function* endlessly(): AsyncGenerator<Buffer> {
  for (;;) yield Buffer.alloc(10_000);
}
