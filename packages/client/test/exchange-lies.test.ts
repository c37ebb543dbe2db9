/** A peer that answers the attestation request out of form: refused, and nothing was sent to it. */
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { EVIDENCE_MEDIA_TYPE, NotAnEnclaveError } from "@blindbox/attestation";
import { beforeAll, describe, expect, test } from "vitest";
import { ConnectionError, SecureSession, TimeoutError } from "../src/index.ts";
import {
  type Asked,
  type Attempt,
  attempt,
  evidenceFor,
  leaks,
  makeWorld,
  optionsFor,
  startFakeBox,
  type World,
} from "./fake-box/index.ts";

let world: World;

beforeAll(async () => {
  world = await makeWorld();
});

const ok = "HTTP/1.1 200 OK\r\n";
const type = `content-type: ${EVIDENCE_MEDIA_TYPE}\r\n`;

function say(text: string): Promise<Attempt> {
  return attempt(world, { answer: ({ socket }) => void socket.write(text) });
}

function expectNotAnEnclave(outcome: Attempt, check: string): void {
  expect(outcome.error).toBeInstanceOf(NotAnEnclaveError);
  expect(outcome.failed).toEqual([check]);
  expect(outcome.received).toBe("");
  expect(outcome.asked.some(leaks)).toBe(false);
}

/** Writes pieces until the client closes the connection. */
async function writeUntilClosed(socket: TLSSocket, piece: string, every: number): Promise<void> {
  while (!socket.destroyed) {
    socket.write(piece);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}

describe("a plain HTTPS server", () => {
  async function attemptOnHttps(listener: RequestListener): Promise<{ error: unknown; bodies: string; heads: string }> {
    let heads = "";
    let bodies = "";
    const server = createServer({ ...world.identity, ALPNProtocols: ["http/1.1"] }, (request, response) => {
      heads += `${request.method} ${request.url} ${request.rawHeaders.join(" ")}\n`;
      request.on("data", (chunk: Buffer) => (bodies += chunk.toString("latin1")));
      listener(request, response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const error = await SecureSession.connect(url, optionsFor(world)).catch((reason: unknown) => reason);
    server.close();
    await once(server, "close");
    return { error, heads, bodies };
  }

  test.each<[string, RequestListener]>([
    ["404", (_, response) => response.writeHead(404).end("<h1>Not found")],
    ["HTML and 200", (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<h1>Welcome")],
    ["JSON and 200", (_, response) => response.writeHead(200, { "content-type": "application/json" }).end("{}")],
    ["401", (_, response) => response.writeHead(401, { "www-authenticate": "Bearer" }).end()],
  ])("that answers %s is no enclave, and saw the attestation request only", async (_, listener) => {
    const { error, heads, bodies } = await attemptOnHttps(listener);
    expect(error).toBeInstanceOf(NotAnEnclaveError);
    expect(heads).toMatch(/^POST \/\.well-known\/blindbox\/attestation [^\n]*\n$/);
    expect(leaks(heads + bodies)).toBe(false);
    expect(Object.keys(JSON.parse(bodies) as object)).toEqual(["binding", "nonce"]);
  });
});

describe("a peer is no enclave, and receives nothing, that answers with", () => {
  test("Evidence of 10 MB", async () => {
    const answer = ({ socket }: Asked): void => {
      socket.write(`${ok}${type}content-length: 10000000\r\n\r\n`);
      socket.write("x".repeat(10_000_000));
    };
    expectNotAnEnclave(await attempt(world, { answer }), "answer-length");
  });

  test("chunks without end", async () => {
    const answer = async ({ socket }: Asked): Promise<void> => {
      socket.write(`${ok}${type}transfer-encoding: chunked\r\n\r\n`);
      await writeUntilClosed(socket, `ffff\r\n${"x".repeat(0xffff)}\r\n`, 0);
    };
    expectNotAnEnclave(await attempt(world, { answer }), "answer-coding");
  });

  test("headers without end", async () => {
    const answer = async ({ socket }: Asked): Promise<void> => {
      socket.write(ok);
      await writeUntilClosed(socket, "x: y\r\n".repeat(100), 0);
    };
    expectNotAnEnclave(await attempt(world, { answer }), "answer-head-size");
  });

  test("a redirect to another host, which is not followed", async () => {
    await using other = await startFakeBox({ identity: world.identity, answer: () => {} });
    const outcome = await say(
      `HTTP/1.1 307 Temporary Redirect\r\nlocation: ${other.url}/\r\ncontent-length: 0\r\n\r\n`,
    );
    expectNotAnEnclave(outcome, "answer-status");
    expect(other.connections).toEqual([]);
  });

  test("100 Continue and then Evidence", async () => {
    expectNotAnEnclave(await say("HTTP/1.1 100 Continue\r\n\r\n"), "answer-status");
  });

  test("genuine Evidence and one more byte in the same packet", async () => {
    const answer = async (asked: Asked): Promise<void> => {
      const body = await evidenceFor(world, asked);
      asked.socket.write(`${ok}${type}content-length: ${body.length}\r\n\r\n${body}H`);
    };
    expectNotAnEnclave(await attempt(world, { answer }), "answer-trailing-bytes");
  });
});

describe("a connection is given up, and nothing is sent on it, when", () => {
  test("an answer to no question follows the Evidence", async () => {
    const answer = async (asked: Asked): Promise<void> => {
      const body = await evidenceFor(world, asked);
      asked.socket.write(`${ok}${type}content-length: ${body.length}\r\n\r\n${body}`);
      // In a TLS record of its own, but there before the first request is.
      asked.socket.write(`${ok}content-length: 6\r\n\r\nforged`);
    };
    const outcome = await attempt(world, { answer });
    expect(outcome.error).not.toBeNull();
    expect(outcome.received).toBe("");
  });

  test("an answer to no question comes while the connection waits for its first request", async () => {
    let late: TLSSocket | undefined;
    const answer = async (asked: Asked): Promise<void> => {
      late ??= asked.socket;
      const body = await evidenceFor(world, asked);
      asked.socket.write(`${ok}${type}content-length: ${body.length}\r\n\r\n${body}`);
    };
    await using box = await startFakeBox({ identity: world.identity, answer });
    const session = await SecureSession.connect(box.url, optionsFor(world));
    late?.write(`${ok}content-length: 6\r\n\r\nforged`);
    await once(late as TLSSocket, "close");
    expect(await (await session.get("/")).text()).toBe("hello");
    await session.close();
    expect(box.connections.map(({ received }) => received === "")).toEqual([true, false]);
  });

  test("the answer drips in, one byte at a time", async () => {
    const answer = async (asked: Asked): Promise<void> => {
      const body = await evidenceFor(world, asked);
      for (const byte of `${ok}${type}content-length: ${body.length}\r\n\r\n${body}`) {
        if (asked.socket.destroyed) return;
        asked.socket.write(byte);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    const outcome = await attempt(world, { answer }, { timeouts: { attestation: 200 } });
    expect(outcome.error).toBeInstanceOf(TimeoutError);
    expect(outcome.error).toMatchObject({ code: "timeout", phase: "attestation", milliseconds: 200 });
    expect(outcome.received).toBe("");
  });

  test("no answer comes", async () => {
    const outcome = await attempt(world, { answer: () => {} }, { timeouts: { attestation: 100 } });
    expect(outcome.error).toMatchObject({ code: "timeout", phase: "attestation" });
    expect(outcome.received).toBe("");
  });

  test("the connection ends in the middle of the answer", async () => {
    const answer = ({ socket }: Asked): void => void socket.end(`${ok}${type}content-length: 5\r\n\r\n{`);
    const outcome = await attempt(world, { answer });
    expect(outcome.error).toBeInstanceOf(ConnectionError);
    expect(outcome.error).toMatchObject({ code: "closed", phase: "attestation" });
    expect(outcome.received).toBe("");
  });

  test("the box is too busy to attest, which is no verdict on it", async () => {
    const outcome = await say("HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n");
    expect(outcome.error).toBeInstanceOf(ConnectionError);
    expect(outcome.error).toMatchObject({ code: "busy", phase: "attestation" });
    expect(outcome.received).toBe("");
  });
});

test("the attestation request carries a nonce that is new on each connection, and nothing of the caller's", async () => {
  const nonces: string[] = [];
  const answer = ({ nonce, socket }: Asked): void => {
    nonces.push(Buffer.from(nonce).toString("hex"));
    socket.destroy();
  };
  const outcomes = [await attempt(world, { answer }), await attempt(world, { answer })];
  expect(new Set(nonces).size).toBe(2);
  const host = /^host: 127\.0\.0\.1:\d+$/m;
  expect(outcomes.every(({ asked }) => host.test(asked.join("")) && !asked.some(leaks))).toBe(true);
});
