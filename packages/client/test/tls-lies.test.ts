/** Somebody in between, or a connection that cannot be bound: refused, and nothing was sent. */
import { constants, webcrypto } from "node:crypto";
import { once } from "node:events";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { TLSSocket } from "node:tls";
import { AttestationError, ChannelBindingError } from "@blindbox/attestation";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { ConnectionError, SecureSession } from "../src/index.ts";
import {
  type Asked,
  type Attempt,
  attempt,
  attemptOn,
  evidenceFor,
  leaks,
  makeIdentity,
  makeWorld,
  optionsFor,
  sendEvidence,
  startFakeBox,
  startRelay,
  type TlsIdentity,
  type World,
} from "./fake-box/index.ts";

let world: World;
let ownIdentity: TlsIdentity;

beforeAll(async () => {
  world = await makeWorld();
  ownIdentity = await makeIdentity();
});

async function honest(asked: Asked): Promise<void> {
  sendEvidence(asked.socket, await evidenceFor(world, asked));
}

describe("a relay that ends TLS between the client and a genuine box", () => {
  test.each([
    ["a key of its own", () => ownIdentity, ["challenge", "tls-key"]],
    ["the box's own key, stolen", () => world.identity, ["challenge"]],
  ])("is refused with %s, and reads nothing but the attestation request", async (_, identity, failed) => {
    await using box = await startFakeBox({ identity: world.identity, answer: honest });
    await using relay = await startRelay(box, identity());
    const outcome = await attemptOn(box, relay.url, optionsFor(world));
    await relay.allClosed();
    expect(outcome.error).toBeInstanceOf(ChannelBindingError);
    expect(outcome.failed).toEqual(failed);
    expect(relay.seen()).toMatch(/^POST \/\.well-known\/blindbox\/attestation /);
    expect(relay.seen().match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(leaks(relay.seen() + outcome.received)).toBe(false);
  });

  test("is refused by a session that was attested before it came in between", async () => {
    await using box = await startFakeBox({ identity: world.identity, answer: honest });
    await using relay = await startRelay(box, world.identity);
    // What decides where a connection goes (DNS, routes, the balancer) is in the attacker's hands.
    let target = box.port;
    const switchboard = createTcpServer((socket) => {
      const upstream = new (socket.constructor as typeof import("node:net").Socket)().connect(target, "127.0.0.1");
      for (const end of [socket, upstream]) end.on("error", () => {});
      socket.pipe(upstream).pipe(socket);
    });
    switchboard.listen(0, "127.0.0.1");
    await once(switchboard, "listening");
    const url = `https://127.0.0.1:${(switchboard.address() as AddressInfo).port}`;
    const session = await SecureSession.connect(url, optionsFor(world));
    expect(await (await session.get("/first")).text()).toBe("hello");
    target = Number(new URL(relay.url).port);
    await box.endConnections();
    await expect(session.post("/secret", { body: "second" })).rejects.toBeInstanceOf(ChannelBindingError);
    expect(leaks(relay.seen()) || relay.seen().includes("second")).toBe(false);
    await session.close();
    switchboard.close();
  });
});

describe("a box whose key changes", () => {
  test("between two connections without new Evidence is refused, and receives nothing", async () => {
    const answer = async (asked: Asked): Promise<void> => {
      // The Statement keeps naming the first key.
      sendEvidence(asked.socket, await evidenceFor(world, asked));
    };
    await using first = await startFakeBox({ identity: world.identity, answer });
    const session = await SecureSession.connect(first.url, optionsFor(world));
    expect(await (await session.get("/")).text()).toBe("hello");
    first.setIdentity(ownIdentity);
    await first.endConnections();
    const refusal = await session.post("/secret", { body: "second" }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ChannelBindingError);
    await first.allClosed();
    expect(first.connections.map(({ received }) => received === "")).toEqual([false, true]);
    await session.close();
  });

  test("and that attests the new one is accepted again", async () => {
    let current = world;
    const answer = async (asked: Asked): Promise<void> => sendEvidence(asked.socket, await evidenceFor(current, asked));
    await using box = await startFakeBox({ identity: world.identity, answer });
    const session = await SecureSession.connect(box.url, optionsFor(world));
    await (await session.get("/")).text();
    const before = session.attestation.claims.tls;
    current = { ...world, identity: ownIdentity };
    box.setIdentity(ownIdentity);
    await box.endConnections();
    expect(await (await session.get("/")).text()).toBe("hello");
    expect([before, session.attestation.claims.tls]).toEqual([world.identity.spkiDigest, ownIdentity.spkiDigest]);
    await session.close();
  });
});

describe("a server that offers resumption", () => {
  test("is never resumed: each connection does a full handshake and its own attestation", async () => {
    const tickets = { secureOptions: constants.SSL_OP_ALL, sessionTimeout: 3600 };
    await using box = await startFakeBox({ identity: world.identity, answer: honest, tls: tickets });
    const session = await SecureSession.connect(box.url, optionsFor(world));
    for (let turn = 0; turn < 3; turn += 1) {
      await (await session.get("/")).text();
      await box.endConnections();
    }
    await session.close();
    expect(box.connections.map(({ resumed }) => resumed)).toEqual([false, false, false]);
    expect(box.connections.every(({ asked }) => asked.startsWith("POST /.well-known/"))).toBe(true);
  });
});

describe("a server that cannot be bound to", () => {
  test.each([
    ["TLS 1.2 only", { minVersion: "TLSv1.2", maxVersion: "TLSv1.2" }],
    ["no certificate", { key: undefined, cert: undefined }],
    ["HTTP/2 only", { ALPNProtocols: ["h2"] }],
  ] as const)("with %s gets no request of any kind", async (_, tls) => {
    const outcome = await attempt(world, { answer: honest, tls: tls });
    expect(outcome.error).toBeInstanceOf(ConnectionError);
    expect(outcome.error).toMatchObject({ code: "tls-failed", phase: "connect" });
    expect(outcome.asked).toEqual([]);
    expect(outcome.received).toBe("");
  });

  test("without ALPN gets no request of any kind", async () => {
    const outcome = await attempt(world, { answer: honest, tls: { ALPNProtocols: undefined } });
    expectUnbound(outcome, "tls-application-protocol");
  });

  test("that takes TLS 1.2 and 1.3 is spoken to in 1.3", async () => {
    const outcome = await attempt(world, { answer: honest, tls: { minVersion: "TLSv1.2" } });
    expect(outcome.error).toBeNull();
  });

  test("and speaks no TLS at all is no box", async () => {
    const server = createTcpServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const connecting = SecureSession.connect(url, optionsFor(world));
    await expect(connecting).rejects.toMatchObject({ name: "ConnectionError", code: "tls-failed" });
    server.close();
  });

  test("and keeps the handshake waiting is given up in time", async () => {
    const server = createTcpServer((socket) => socket.on("error", () => {}));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const connecting = SecureSession.connect(url, optionsFor(world, { timeouts: { connect: 100 } }));
    await expect(connecting).rejects.toMatchObject({ name: "TimeoutError", phase: "connect", milliseconds: 100 });
    server.close();
  });

  test("since nothing listens is unreachable", async () => {
    const server = createTcpServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    const connecting = SecureSession.connect(`https://127.0.0.1:${port}`, optionsFor(world));
    await expect(connecting).rejects.toMatchObject({ name: "ConnectionError", code: "unreachable" });
  });
});

function expectUnbound(outcome: Attempt, check: string): void {
  expect(outcome.error).toBeInstanceOf(ChannelBindingError);
  expect((outcome.error as AttestationError).findings.map((finding) => finding.check)).toEqual([check]);
  expect(outcome.asked.join("")).toBe("");
  expect(outcome.received).toBe("");
}

describe("a runtime that does not give what is bound to", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** Has the client's end of every connection answer `value`; the box's end stays as it is. */
  function clientSays(method: keyof TLSSocket & string, value: unknown): void {
    const real = TLSSocket.prototype[method] as (...parameters: unknown[]) => unknown;
    vi.spyOn(TLSSocket.prototype as unknown as Record<string, () => unknown>, method).mockImplementation(function (
      this: unknown,
      ...parameters: unknown[]
    ) {
      const ofServer = (this as { server?: unknown }).server !== undefined;
      return ofServer ? real.apply(this, parameters) : value;
    });
  }

  test.each<[string, keyof TLSSocket & string, unknown, string]>([
    ["no exporter", "exportKeyingMaterial", undefined, "tls-exporter"],
    ["an exporter of zeros", "exportKeyingMaterial", Buffer.alloc(32), "tls-exporter"],
    ["a short exporter", "exportKeyingMaterial", Buffer.alloc(16, 1), "tls-exporter"],
    ["an exporter that is no bytes", "exportKeyingMaterial", "x".repeat(32), "tls-exporter"],
    ["no certificate", "getPeerX509Certificate", undefined, "tls-certificate"],
    ["a resumed session", "isSessionReused", true, "tls-full-handshake"],
    ["TLS 1.2", "getProtocol", "TLSv1.2", "tls-version"],
    ["no TLS version", "getProtocol", null, "tls-version"],
  ])("but %s asks for no Evidence, and sends nothing", async (_, method, value, check) => {
    clientSays(method, value);
    expectUnbound(await attempt(world, { answer: honest }), check);
  });

  test("but a constant instead of an exporter is refused by the box's own proof", async () => {
    clientSays("exportKeyingMaterial", Buffer.from(webcrypto.getRandomValues(new Uint8Array(32))));
    const outcome = await attempt(world, { answer: honest });
    expect(outcome.error).toBeInstanceOf(ChannelBindingError);
    expect(outcome.received).toBe("");
  });
});
