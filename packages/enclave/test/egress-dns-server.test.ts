/** The name server on real sockets, asked by Node's own resolver and by hand. */
import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { createEgressDecider, type Egress } from "@blindbox/manifest";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  createAnswers,
  createDnsConnections,
  createVirtualAddresses,
  type DnsConnections,
  dnsLimits,
  serveDatagrams,
} from "../src/egress/dns/index.ts";
import { queryBytes, queryWithOptions, words } from "./fixtures-egress/dns-message.ts";
import { recordingLedger } from "./fixtures-egress/ledger.ts";

const egress: readonly Egress[] = [
  { mode: "passthrough", host: "api.example.com", ports: [443] },
  { mode: "passthrough", host: "*.wild.test", ports: [5432] },
  { mode: "tcp", host: "203.0.113.20", ports: [22], trusts: "network" },
];

let ledger: ReturnType<typeof recordingLedger>;
let datagrams: DatagramSocket;
let server: Server;
let connections: DnsConnections;
let tooMany: number;

beforeEach(async () => {
  ledger = recordingLedger();
  tooMany = 0;
  const addresses = createVirtualAddresses({ hosts: ["api.example.com"], now: () => 0 });
  const answer = createAnswers({ decider: createEgressDecider({ egress }), addresses, ledger });
  datagrams = createSocket("udp4").bind(0, "127.0.0.1");
  await once(datagrams, "listening");
  serveDatagrams(datagrams, answer);
  connections = createDnsConnections(answer, () => (tooMany += 1), {
    ...dnsLimits,
    connections: 2,
    questions: 3,
    lifetime: 60_000,
  });
  server = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  connections.serve(server);
});

afterEach(() => {
  connections.close();
  server.close();
  datagrams.close();
});

function resolver(): Resolver {
  const client = new Resolver({ timeout: 2000, tries: 1 });
  client.setServers([`127.0.0.1:${datagrams.address().port}`]);
  return client;
}

const refusedWith = (code: string) => expect.objectContaining({ code });

describe("Node's resolver at our server", () => {
  test("understands the address of an allowed name, and how long to keep it", async () => {
    expect(await resolver().resolve4("api.example.com", { ttl: true })).toEqual([{ address: "198.18.0.1", ttl: 60 }]);
  });

  test("gets the same address in whatever case it asks", async () => {
    expect(await resolver().resolve4("aPi.EXAMPLE.cOm")).toEqual(["198.18.0.1"]);
  });

  test("gets an address of its own for each name one label below a wildcard", async () => {
    expect(await resolver().resolve4("one.wild.test")).toEqual(["198.18.0.2"]);
    expect(await resolver().resolve4("two.wild.test")).toEqual(["198.18.0.3"]);
    expect(await resolver().resolve4("one.wild.test")).toEqual(["198.18.0.2"]);
    expect(ledger.entries).toMatchObject([
      { verdict: "name-assigned", rule: 1, host: "*.wild.test" },
      { verdict: "name-assigned", rule: 1, host: "*.wild.test" },
    ]);
  });

  test.each([
    "forbidden.test",
    "example.com",
    "x.api.example.com",
    "wild.test",
    "a.b.wild.test",
    "203.0.113.20",
    "localhost",
    "_x.wild.test",
  ])("learns that %s does not exist", async (name) => {
    await expect(resolver().resolve4(name)).rejects.toEqual(refusedWith("ENOTFOUND"));
    expect(ledger.verdicts()).toEqual(["refused-name"]);
  });

  const types = [
    ["AAAA", (name: string) => resolver().resolve6(name), []],
    ["TXT", (name: string) => resolver().resolveTxt(name), ["refused-query-type"]],
    ["MX", (name: string) => resolver().resolveMx(name), ["refused-query-type"]],
    ["SRV", (name: string) => resolver().resolveSrv(name), ["refused-query-type"]],
    ["CNAME", (name: string) => resolver().resolveCname(name), ["refused-query-type"]],
    ["SOA", (name: string) => resolver().resolveSoa(name), ["refused-query-type"]],
  ] as const;

  test.each(types)(
    "learns that an allowed name has no %s, and that another does not exist",
    async (_type, ask, verdicts) => {
      await expect(ask("api.example.com")).rejects.toEqual(refusedWith("ENODATA"));
      expect(ledger.verdicts()).toEqual(verdicts);
      await expect(ask("forbidden.test")).rejects.toEqual(refusedWith("ENOTFOUND"));
    },
  );

  test("is told to go away when names come too fast", async () => {
    const asked = await Promise.allSettled(
      Array.from({ length: 40 }, (_, index) => resolver().resolve4(`n${index}.wild.test`)),
    );
    expect(asked.filter(({ status }) => status === "rejected")).toHaveLength(8);
    expect(ledger.verdicts().filter((verdict) => verdict === "refused-name-rate").length).toBeGreaterThanOrEqual(8);
  });

  test("leaves no word of its own in the ledger", async () => {
    const secrets = ["c2VjcmV0.evil.test", "c2VjcmV0.wild.test", "c2VjcmV0.api.example.com"];
    await Promise.allSettled(secrets.map((name) => resolver().resolve4(name)));
    await Promise.allSettled(secrets.map((name) => resolver().resolveTxt(name)));
    expect(JSON.stringify(ledger.entries).toLowerCase()).not.toContain("c2vjcmv0");
  });
});

describe("datagrams", () => {
  async function ask(message: Buffer): Promise<Buffer> {
    const client = createSocket("udp4");
    client.send(message, datagrams.address().port, "127.0.0.1");
    const [reply] = (await once(client, "message")) as [Buffer];
    client.close();
    return reply;
  }

  test("come back with the question in its own case", async () => {
    const reply = await ask(queryBytes({ name: ["aPI", "exAMPLE", "com"] }));
    expect(reply.includes("aPI")).toBe(true);
    expect(reply.readUInt16BE(0)).toBe(0x1234);
  });

  test.each([
    ["HTTPS", 65],
    ["SVCB", 64],
    ["ANY", 255],
    ["a zone transfer", 252],
  ])("that ask for %s get nothing of an allowed name", async (_what, type) => {
    const reply = await ask(queryWithOptions(undefined, { type }));
    expect(reply.readUInt16BE(2) & 0xf).toBe(0);
    expect(reply.readUInt16BE(6)).toBe(0);
  });

  test("of another class are refused", async () => {
    const reply = await ask(queryBytes({ class: 3, name: ["version", "bind"], type: 16 }));
    expect(reply.readUInt16BE(2) & 0xf).toBe(5);
    expect(ledger.verdicts()).toEqual(["refused-query-type"]);
  });

  test("that are malformed are told so, and not one byte of them comes back but their number", async () => {
    expect(await ask(queryBytes({ counts: [1, 0, 0, 5] }))).toEqual(words(0x1234, 0x8001, 0, 0, 0, 0));
    expect(ledger.verdicts()).toEqual(["refused-query"]);
  });

  test("that are answers, or nothing, are met with silence, and the server lives on", async () => {
    const client = createSocket("udp4");
    const { port } = datagrams.address();
    let replies = 0;
    client.on("message", () => (replies += 1));
    for (const message of [queryBytes({ flags: 0x8100 }), Buffer.alloc(0), Buffer.alloc(5)]) {
      client.send(message, port, "127.0.0.1");
    }
    client.send(queryBytes(), port, "127.0.0.1");
    await once(client, "message");
    expect(replies).toBe(1);
    client.close();
  });
});

describe("connections", () => {
  const framed = (message: Buffer): Buffer => Buffer.concat([words(message.length), message]);

  async function open(): Promise<Socket> {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  }

  async function everything(socket: Socket): Promise<Buffer> {
    const chunks: Buffer[] = [];
    const closed = Promise.withResolvers<void>();
    socket.on("data", (chunk: Buffer) => chunks.push(chunk)).once("close", () => closed.resolve());
    await closed.promise;
    return Buffer.concat(chunks);
  }

  test("get the same answers as datagrams, however the question is cut in pieces", async () => {
    const socket = await open();
    for (const byte of framed(queryBytes())) socket.write(Buffer.of(byte));
    const [reply] = (await once(socket, "data")) as [Buffer];
    expect(reply.readUInt16BE(0)).toBe(reply.length - 2);
    expect([...reply.subarray(-4)]).toEqual([198, 18, 0, 1]);
    socket.destroy();
  });

  test("may ask several questions at once, and no more than their number", async () => {
    const socket = await open();
    socket.write(Buffer.concat(Array.from({ length: 10 }, () => framed(queryBytes()))));
    const all = await everything(socket);
    expect(all.length).toBe(3 * (2 + queryBytes().length + 16));
  });

  test("that announce more than a question can have are closed before it comes", async () => {
    const socket = await open();
    socket.write(words(1233));
    expect(await everything(socket)).toHaveLength(0);
  });

  test("that send no question are closed", async () => {
    const socket = await open();
    socket.write(framed(Buffer.alloc(4)));
    expect(await everything(socket)).toHaveLength(0);
  });

  test("are so many at once, and the next is reset", async () => {
    const first = await open();
    const second = await open();
    const third = connect((server.address() as AddressInfo).port, "127.0.0.1");
    third.on("error", () => {});
    expect(await everything(third)).toHaveLength(0);
    expect(tooMany).toBe(1);
    first.destroy();
    await once(first, "close");
    const fourth = await open();
    for (const socket of [second, fourth]) {
      socket.write(framed(queryBytes()));
      await once(socket, "data");
      socket.destroy();
    }
  });

  test("that stay silent are closed after their lifetime", async () => {
    const short = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
    await once(short, "listening");
    createDnsConnections(
      () => null,
      () => {},
      { ...dnsLimits, lifetime: 50 },
    ).serve(short);
    const socket = connect((short.address() as AddressInfo).port, "127.0.0.1");
    socket.write(Buffer.of(0));
    expect(await everything(socket)).toHaveLength(0);
    short.close();
  });
});
