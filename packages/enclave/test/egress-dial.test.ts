/** Resolving and dialling in a hostile network. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Egress } from "@blindbox/manifest";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  createClassifier,
  createDialer,
  createLookup,
  createResolve,
  dialLimits,
  type Family,
  type IsPublic,
  type Lookup,
  resolveLimits,
} from "../src/egress/dial/index.ts";
import type { Destination } from "../src/egress/contract.ts";
import { EgressError } from "../src/egress/errors.ts";
import { type NameServer, startNameServer } from "./fixtures-egress/name-server.ts";

let names: NameServer;
let host: Server;
let arrived: string[];

beforeEach(async () => {
  names = await startNameServer();
  arrived = [];
  host = createServer((socket) => {
    arrived.push(socket.localAddress ?? "");
    socket.on("error", () => {});
  }).listen(0, "0.0.0.0");
  await once(host, "listening");
});

afterEach(async () => {
  host.close();
  await names.close();
});

const rule: Egress = { mode: "tcp", host: "api.example.com", ports: [443], trusts: "network" };

function to(
  name: string | null,
  address: string | null = null,
  port = (host.address() as AddressInfo).port,
): Destination {
  return { name, address, port, rule: 0, egress: rule };
}

/** In the place of the internet: some of this machine's loopback is public to this dialer. */
const only =
  (...addresses: readonly string[]): IsPublic =>
  (address) =>
    addresses.includes(address);

function dialer(isPublic: IsPublic, clock: { now: number } = { now: 0 }, limits = dialLimits) {
  const resolve = createResolve({ lookup: createLookup([names.server]), now: () => clock.now });
  return createDialer({ resolve, isPublic, limits });
}

async function closed(socket: Socket): Promise<void> {
  socket.destroy();
  await once(socket, "close");
}

const refusal = (code: string) => expect.objectContaining({ name: "EgressError", code, message: code });

describe("the dialer", () => {
  test("connects to the address that it resolved and judged", async () => {
    names.answers = { "api.example.com": { a: ["127.0.0.2"] } };
    const socket = await dialer(only("127.0.0.2")).dial(to("api.example.com"));
    expect(socket.remoteAddress).toBe("127.0.0.2");
    expect(names.asked).toEqual(["A api.example.com"]);
    await closed(socket);
  });

  test("never dials an address that is not public, whichever the answer names first", async () => {
    names.answers = { "api.example.com": { a: ["127.0.0.9", "127.0.0.2", "127.0.0.8"] } };
    const socket = await dialer(only("127.0.0.2")).dial(to("api.example.com"));
    expect(arrived).toEqual(["127.0.0.2"]);
    await closed(socket);
  });

  test.each([
    ["private", ["10.0.0.1"], []],
    ["loopback", ["127.0.0.1"], ["0:0:0:0:0:0:0:1"]],
    ["the metadata's", ["169.254.169.254", "168.63.129.16"], ["fd00:ec2:0:0:0:0:0:254"]],
    [
      "written as IPv6 to hide what they are",
      [],
      ["0:0:0:0:0:ffff:7f00:1", "64:ff9b:0:0:0:0:7f00:1", "2002:7f00:1:0:0:0:0:1"],
    ],
  ])("refuses a name whose addresses are all %s, and nothing arrives", async (_what, a, aaaa) => {
    names.answers = { "api.example.com": { a, aaaa } };
    await expect(dialer(createClassifier()).dial(to("api.example.com"))).rejects.toEqual(
      refusal("refused-address-not-public"),
    );
    expect(arrived).toEqual([]);
  });

  test("refuses an address that a rule writes down just as well, where it is not public", async () => {
    const judged: string[] = [];
    const isPublic = (address: string): boolean => judged.push(address) > 1 || createClassifier()(address);
    await expect(dialer(isPublic).dial(to(null, "127.0.0.1"))).rejects.toEqual(refusal("refused-address-not-public"));
    expect(arrived).toEqual([]);
    expect(names.asked).toEqual([]);
  });

  test("dials an address that a rule writes down without asking anyone", async () => {
    const socket = await dialer(only("127.0.0.3")).dial(to(null, "127.0.0.3"));
    expect(socket.remoteAddress).toBe("127.0.0.3");
    expect(names.asked).toEqual([]);
    await closed(socket);
  });

  test("judges a name anew when it leads elsewhere the second time", async () => {
    const clock = { now: 0 };
    const dial = dialer(only("127.0.0.2"), clock);
    names.answers = { "rebind.test": { a: ["127.0.0.2"] } };
    await closed(await dial.dial(to("rebind.test")));
    names.answers = { "rebind.test": { a: ["127.0.0.1"] } };
    clock.now += 1000;
    await expect(dial.dial(to("rebind.test"))).rejects.toEqual(refusal("refused-address-not-public"));
    expect(arrived).toEqual(["127.0.0.2"]);
  });

  test("judges what it remembers anew, too: an address may become the machine's own", async () => {
    const own: string[] = [];
    names.answers = { "api.example.com": { a: ["127.0.0.2"] } };
    const dial = dialer((address) => !own.includes(address));
    await closed(await dial.dial(to("api.example.com")));
    own.push("127.0.0.2");
    await expect(dial.dial(to("api.example.com"))).rejects.toEqual(refusal("refused-address-not-public"));
  });

  test("tries further addresses where one does not answer, and IPv6 after IPv4", async () => {
    const v6 = createServer().listen(0, "::1");
    await once(v6, "listening");
    const { port } = v6.address() as AddressInfo;
    names.answers = { "api.example.com": { a: ["127.0.0.2", "127.0.0.3"], aaaa: ["0:0:0:0:0:0:0:1"] } };
    const socket = await dialer(only("127.0.0.2", "127.0.0.3", "::1")).dial(to("api.example.com", null, port));
    expect(socket.remoteAddress).toBe("::1");
    expect(names.asked).toEqual(["A api.example.com", "AAAA api.example.com"]);
    await closed(socket);
    v6.close();
  });

  test("tries no more addresses than it may", async () => {
    const third = createServer().listen(0, "127.0.1.3");
    await once(third, "listening");
    const { port } = third.address() as AddressInfo;
    names.answers = { "api.example.com": { a: ["127.0.1.1", "127.0.1.2", "127.0.1.3"] } };
    const trying = (attempts: number) => dialer(() => true, { now: 0 }, { ...dialLimits, attempts });
    const destination = to("api.example.com", null, port);
    await expect(trying(2).dial(destination)).rejects.toEqual(refusal("refused-unreachable"));
    await closed(await trying(3).dial(destination));
    third.close();
  });

  test("says that a name does not exist, and that nobody answers there", async () => {
    await expect(dialer(only()).dial(to("nowhere.test"))).rejects.toEqual(refusal("refused-resolution"));
    names.answers = { "api.example.com": { a: ["127.0.0.2"] } };
    await expect(dialer(only("127.0.0.2")).dial(to("api.example.com", null, 1))).rejects.toEqual(
      refusal("refused-unreachable"),
    );
  });

  test("gives up at its deadline, and closes what opens after it", async () => {
    const late = Promise.withResolvers<readonly string[]>();
    const slow = createDialer({
      resolve: () => late.promise,
      isPublic: only("127.0.0.2"),
      limits: { ...dialLimits, deadline: 20 },
    });
    await expect(slow.dial(to("api.example.com"))).rejects.toEqual(refusal("refused-upstream-timeout"));
    late.resolve(["127.0.0.2"]);
    await late.promise;
    const socket = await dialer(only("127.0.0.3")).dial(to(null, "127.0.0.3"));
    await closed(socket);
    expect(arrived).toEqual(["127.0.0.3"]);
  });

  test("dials neither name nor address where a destination has none", async () => {
    await expect(dialer(() => true).dial(to(null, null))).rejects.toEqual(refusal("refused-resolution"));
  });
});

describe("the resolver", () => {
  function counted(ttl: number, answers: () => readonly string[] | Error = () => ["11.0.0.1"]) {
    const clock = { now: 0 };
    const asked: string[] = [];
    const lookup: Lookup = (name: string, family: Family) => {
      asked.push(`${family} ${name}`);
      const found = answers();
      if (found instanceof Error) return Promise.reject(found);
      return Promise.resolve(found.map((address) => ({ address, ttl })));
    };
    return {
      clock,
      asked,
      resolve: createResolve({ lookup, now: () => clock.now, limits: { ...resolveLimits, answers: 3 } }),
    };
  }

  test.each([
    [0, 1_000],
    [7, 7_000],
    [300, 300_000],
    [86_400, 300_000],
  ])("keeps an answer that may be kept for %i seconds for %i milliseconds", async (ttl, ms) => {
    const { clock, asked, resolve } = counted(ttl);
    await resolve("a.test", 4);
    clock.now = ms - 1;
    await resolve("a.test", 4);
    expect(asked).toHaveLength(1);
    clock.now = ms;
    await resolve("a.test", 4);
    expect(asked).toHaveLength(2);
  });

  test("keeps no answer over a clock that goes back", async () => {
    const { clock, asked, resolve } = counted(300);
    clock.now = 1_000_000;
    await resolve("a.test", 4);
    clock.now = 0;
    await resolve("a.test", 4);
    expect(asked).toHaveLength(2);
  });

  test("asks once for all who ask at the same time, and for each family alone", async () => {
    const { asked, resolve } = counted(60);
    await Promise.all([resolve("a.test", 4), resolve("a.test", 4), resolve("a.test", 6), resolve("b.test", 4)]);
    expect(asked).toEqual(["4 a.test", "6 a.test", "4 b.test"]);
  });

  test("keeps so many answers and gives up the oldest", async () => {
    const { asked, resolve } = counted(60);
    for (const name of ["a", "b", "c", "d"]) await resolve(`${name}.test`, 4);
    await resolve("d.test", 4);
    expect(asked).toHaveLength(4);
    await resolve("a.test", 4);
    expect(asked).toHaveLength(5);
  });

  test("remembers for a second that there was no answer", async () => {
    const { clock, asked, resolve } = counted(60, () => new Error("no"));
    await expect(resolve("a.test", 4)).rejects.toBeInstanceOf(EgressError);
    await expect(resolve("a.test", 4)).rejects.toEqual(refusal("refused-resolution"));
    expect(asked).toHaveLength(1);
    clock.now = 1000;
    await expect(resolve("a.test", 4)).rejects.toEqual(refusal("refused-resolution"));
    expect(asked).toHaveLength(2);
  });

  test("looks at so many addresses of an answer", async () => {
    const { resolve } = counted(60, () =>
      Array.from({ length: 500 }, (_, index) => `11.0.${index >> 8}.${index & 255}`),
    );
    expect(await resolve("a.test", 4)).toHaveLength(32);
  });

  test("gives up on a server that is silent", async () => {
    names.silent = true;
    const limits = { ...resolveLimits, answer: 50 };
    const resolve = createResolve({ lookup: createLookup([names.server]), now: () => 0, limits });
    await expect(resolve("a.test", 4)).rejects.toEqual(refusal("refused-resolution"));
  });

  test("tells a name without addresses from one that does not exist", async () => {
    names.answers = { "api.example.com": { a: ["11.0.0.1"] } };
    const resolve = createResolve({ lookup: createLookup([names.server]), now: () => 0 });
    expect(await resolve("api.example.com", 6)).toEqual([]);
    await expect(resolve("nowhere.test", 6)).rejects.toEqual(refusal("refused-resolution"));
  });

  test("asks the network, not the machine's list of hosts, and adds nothing to a name", async () => {
    names.answers = { "localhost.test": { a: ["11.0.0.1"] } };
    const resolve = createResolve({ lookup: createLookup([names.server]), now: () => 0 });
    expect(await resolve("localhost.test", 4)).toEqual(["11.0.0.1"]);
    expect(names.asked).toEqual(["A localhost.test"]);
  });

  test("refuses servers that are no addresses", () => {
    expect(() => createLookup(["dns.example"])).toThrow(TypeError);
  });
});
