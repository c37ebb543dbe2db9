/** From the address that was dialled to its mode or its end, on real sockets: 127.0.0.0/8 in the place of 198.18.0.0/15. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createEgressDecider, type Egress, isIpv4Literal } from "@blindbox/manifest";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Destination, ServeMode } from "../src/egress/contract.ts";
import { createRouter, type Router, routerLimits } from "../src/egress/router.ts";
import { recordingLedger } from "./fixtures-egress/ledger.ts";

const names: Readonly<Record<string, string>> = {
  "127.0.1.1": "api.example.com",
  "127.0.1.2": "db.example.com",
  "127.0.1.3": "one.wild.test",
  "127.0.1.4": "gone.test",
};

let server: Server;
let port: number;
let ledger: ReturnType<typeof recordingLedger>;
let served: { readonly mode: string; readonly destination: Destination; readonly socket: Socket }[];
let router: Router;
let opened: Socket[];

function egressOn(port: number): readonly Egress[] {
  const request = { methods: "any", paths: "any" } as const;
  return [
    { mode: "verified", host: "api.example.com", ports: [port], ...request, websocket: false, pins: [], roots: null },
    { mode: "passthrough", host: "db.example.com", ports: [port] },
    { mode: "http", host: "*.wild.test", ports: [port], ...request, trusts: "network" },
    { mode: "tcp", host: "127.0.2.1", ports: [port], trusts: "network" },
    { mode: "passthrough", host: "gone.test", ports: [port === 1 ? 2 : 1] },
  ];
}

const notes =
  (mode: string): ServeMode =>
  (socket, destination) =>
    void served.push({ mode, destination, socket });

beforeEach(async () => {
  served = [];
  opened = [];
  ledger = recordingLedger();
  server = createServer({ pauseOnConnect: true }).listen(0, "0.0.0.0");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
  start(routerLimits);
});

afterEach(() => {
  router.close();
  for (const socket of opened) socket.destroy();
  server.close();
});

function start(limits: typeof routerLimits): void {
  server.removeAllListeners("connection");
  router = createRouter({
    decider: createEgressDecider({ egress: egressOn(port) }),
    ledger,
    nameAt: (address) => names[address] ?? null,
    modes: {
      verified: notes("verified"),
      passthrough: notes("passthrough"),
      http: notes("http"),
      tcp: notes("tcp"),
    },
    limits,
  });
  router.serve(server);
}

/** How it looks to the application: `reset`, or `open` as long as nobody ends it. */
async function dial(host: string): Promise<"open" | "reset"> {
  const before = served.length;
  const socket = connect(port, host);
  opened.push(socket);
  const reset = once(socket, "error").then(
    ([error]) => (error as NodeJS.ErrnoException).code,
    () => null,
  );
  while (served.length === before && !socket.destroyed) await new Promise((resolve) => setImmediate(resolve));
  if (served.length > before) return "open";
  expect(await reset).toBe("ECONNRESET");
  return "reset";
}

describe("a connection", () => {
  test.each([
    ["127.0.1.1", "verified", 0, "api.example.com", null],
    ["127.0.1.2", "passthrough", 1, "db.example.com", null],
    ["127.0.1.3", "http", 2, "one.wild.test", null],
    ["127.0.2.1", "tcp", 3, null, "127.0.2.1"],
  ])("to %s goes to mode %s with what stands behind that address", async (host, mode, rule, name, address) => {
    expect(await dial(host)).toBe("open");
    expect(served).toMatchObject([{ mode, destination: { name, address, port, rule, egress: egressOn(port)[rule] } }]);
    expect(ledger.entries).toEqual([]);
  });

  test("is handed over with nothing read from it", async () => {
    const socket = connect(port, "127.0.1.1");
    opened.push(socket);
    socket.write("first words");
    await once(socket, "connect");
    while (served.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const taken = served[0]?.socket;
    expect(taken?.isPaused()).toBe(true);
    const [chunk] = (await once(taken?.resume() ?? socket, "data")) as [Buffer];
    expect(chunk.toString()).toBe("first words");
  });

  test("to an address that stands for nothing is reset, and neither word nor address of it is written down", async () => {
    expect(await dial("127.0.0.77")).toBe("reset");
    expect(served).toEqual([]);
    expect(ledger.entries).toMatchObject([{ verdict: "refused-address", rule: null, host: null, port, mode: null }]);
    expect(JSON.stringify(ledger.entries)).not.toContain("127.");
  });

  test("to a port that its rule does not name is reset", async () => {
    expect(await dial("127.0.1.4")).toBe("reset");
    expect(ledger.entries).toMatchObject([{ verdict: "refused-port", rule: null, port }]);
  });

  test("to the address of a literal does not pass for a name, nor a name for a literal", async () => {
    const decider = createEgressDecider({ egress: egressOn(port) });
    const nobody = ["api.example.com", "127.0.1.1", "0x7f000201", "2130706945", "127.0.2.1 ", "::ffff:127.0.2.1"];
    for (const address of nobody) expect(decider.connection({ name: null, address, port }).allowed).toBe(false);
    expect(isIpv4Literal("127.0.2.1")).toBe(true);
  });

  test("that is one too many to its destination is reset, and other destinations are free", async () => {
    start({ connections: 10, perDestination: 2 });
    expect([await dial("127.0.1.1"), await dial("127.0.1.1"), await dial("127.0.1.1")]).toEqual([
      "open",
      "open",
      "reset",
    ]);
    expect(await dial("127.0.1.2")).toBe("open");
    expect(ledger.entries).toMatchObject([
      { verdict: "refused-connection-limit", rule: 0, host: "api.example.com", port },
    ]);
  });

  test("that is one too many in all is reset, until one of them closes", async () => {
    start({ connections: 2, perDestination: 2 });
    expect([await dial("127.0.1.1"), await dial("127.0.1.2"), await dial("127.0.1.3")]).toEqual([
      "open",
      "open",
      "reset",
    ]);
    const first = served[0]?.socket;
    first?.destroy();
    await once(first ?? server, "close");
    expect(await dial("127.0.1.3")).toBe("open");
  });

  test("that was refused takes no room from others", async () => {
    start({ connections: 1, perDestination: 1 });
    for (let index = 0; index < 5; index += 1) expect(await dial("127.0.0.77")).toBe("reset");
    expect(await dial("127.0.1.1")).toBe("open");
  });

  test("is reset when the way out is closed", async () => {
    await dial("127.0.1.1");
    const gone = once(opened[0] ?? server, "error");
    router.close();
    const [error] = (await gone) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNRESET");
  });

  test("to any address of the network reaches a mode only where a naive reading of the rules allows it", async () => {
    const octets = fc.tuple(fc.nat({ max: 3 }), fc.integer({ min: 1, max: 5 }));
    await fc.assert(
      fc.asyncProperty(octets, async ([third, fourth]) => {
        const host = `127.0.${third}.${fourth}`;
        const allowed = ["127.0.1.1", "127.0.1.2", "127.0.1.3", "127.0.2.1"].includes(host);
        expect(await dial(host)).toBe(allowed ? "open" : "reset");
      }),
      { numRuns: 40 },
    );
  });
});
