/** What the application dials, as the box receives it: real connections from inside, under both drivers. */
import { spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { rooted } from "../src/sandbox/drivers/rooted.ts";
import { type Network, openNetwork } from "../src/sandbox/network/network.ts";
import { findTools } from "../src/sandbox/tools.ts";
import { DRIVERS, whyNot } from "./fixtures-sandbox/availability.ts";
import { hostAddresses, type HostListeners, listenOnHost } from "./fixtures-sandbox/host.ts";
import { gateOf } from "./fixtures-sandbox/leftovers.ts";
import { type Arrivals, createArrivals } from "./fixtures-sandbox/receiver.ts";
import { nodeRootfs, removeTemporary } from "./fixtures-sandbox/rootfs.ts";
import { endBoxes, type RunningBox, specFor, startBox } from "./fixtures-sandbox/start-box.ts";

const PORTS = [22, 443, 5432];
const ADDRESSES = ["1.1.1.1", "198.18.0.7", "169.254.169.254", "10.200.0.1", "240.0.0.1", "203.0.113.200"];

for (const { driver, skip, note } of DRIVERS)
  describe(`what an application in the ${driver} sandbox dials${note}`, () => {
    let box: RunningBox;
    const check = test.skipIf(skip);
    const arrivals = () => box.ask<Arrivals>("arrivals");
    const act = async (action: string, query: Record<string, string | number>): Promise<unknown> => {
      const parameters = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, `${value}`]));
      const { body } = await box.ask<{ body: string }>("get", `/${action}?${parameters.toString()}`);
      const { result, error } = JSON.parse(body) as { result?: unknown; error?: string };
      return error === undefined ? result : `refused: ${error}`;
    };

    beforeAll(async () => {
      if (skip) return;
      box = await startBox(
        driver,
        specFor(nodeRootfs(driver), { command: ["node", "/app.mjs"], egressPorts: [...PORTS] }),
      );
      await start();
    });

    afterAll(async () => {
      if (skip) return;
      await endBoxes();
      removeTemporary();
    });

    async function start(): Promise<void> {
      await box.ask("start");
      await vi.waitFor(() => box.ask("dial"), { timeout: 15_000 });
    }

    check("arrives with the address and the port that it dialled, on every port of the policy", async () => {
      await box.ask("answer", "tell");
      const before = (await arrivals()).dialled.length;
      for (const port of PORTS) {
        for (const host of ADDRESSES) expect(await act("talk", { host, port })).toBe(`${host}:${port}\n`);
      }
      const expected = PORTS.flatMap((port) => ADDRESSES.map((host) => `${host}:${port}`));
      expect((await arrivals()).dialled.slice(before)).toEqual(expected);
    });

    check("is reset where the box resets it", async () => {
      await box.ask("answer", "refuse");
      expect(await act("talk", { host: "1.1.1.1", port: 443 })).toBe("refused: ECONNRESET");
    });

    check("is refused on every other port, and on the port of DNS but at the gate", async () => {
      const before = (await arrivals()).dialled.length;
      for (const port of [21, 23, 80, 444, 5433, 8006, 65535]) {
        for (const host of ["1.1.1.1", "198.18.0.7", "10.200.0.1"]) {
          expect(await act("tcp", { host, port }), `${host}:${port}`).toBe("refused: ECONNREFUSED");
        }
      }
      for (const host of ["1.1.1.1", "198.18.0.7"]) {
        expect(await act("tcp", { host, port: 53 })).toBe("refused: ECONNREFUSED");
        expect(await act("udp", { host, port: 53 })).toBe("refused: ECONNREFUSED");
      }
      expect(await act("tcp", { host: "10.200.0.1", port: 53 })).toBe("connected");
      expect((await arrivals()).dialled.slice(before)).toEqual([]);
    });

    check("reaches the box's DNS by its resolver, by UDP and TCP, and every question of it", async () => {
      const before = (await arrivals()).asked.length;
      expect(await act("dns", { name: "one.example.test" })).toBe("refused: ENOTFOUND");
      await act("udp", { host: "10.200.0.1", port: 53 });
      const asked = (await arrivals()).asked.slice(before);
      expect(asked.some((question) => question.startsWith("\u0003one\u0007example\u0004test\0"))).toBe(true);
      // Whoever shares the socket would take every other one.
      const names = Array.from({ length: 40 }, (_, index) => `n${index}.test`);
      for (const name of names) await act("dns", { name });
      const seen = (await arrivals()).asked.slice(before).join(" ");
      for (const name of names) expect(seen).toContain(name.split(".")[0]);
    });

    check("has its connection for DNS ended when it ends its own half", async () => {
      expect(await act("tcp", { host: "10.200.0.1", port: 53 })).toBe("connected");
      await expect.poll(async () => (await arrivals()).open).toBe(0);
    });

    check("comes to sockets that the gate opened, and of which it has no copy", () => {
      const gate = gateOf(box.pid);
      const open = new Set(readdirSync(`/proc/${gate}/fd`).map((fd) => linkOf(`/proc/${gate}/fd/${fd}`)));
      const listening = [...socketsOf(gate, "tcp", LISTENING), ...socketsOf(gate, "udp", UNCONNECTED)];
      const ports = listening.map(({ port }) => port).toSorted((a, b) => a - b);
      expect(ports).toEqual([...PORTS, 53, 53].toSorted((a, b) => a - b));
      for (const { inode } of listening) expect(open).not.toContain(`socket:[${inode}]`);
      const own = new Set(readdirSync(`/proc/${box.pid}/fd`).map((fd) => linkOf(`/proc/${box.pid}/fd/${fd}`)));
      for (const { inode } of listening) expect(own).toContain(`socket:[${inode}]`);
    });

    check("has new listeners when the gate was killed, and the old ones are closed", async () => {
      // One that the box keeps, though the application ended its half long ago.
      await box.ask("answer", "keep");
      expect(await act("tcp", { host: "1.1.1.1", port: 443 })).toBe("connected");
      await expect.poll(async () => (await arrivals()).open).toBe(1);
      const before = (await arrivals()).came;
      expect(before).toEqual({ servers: PORTS.length + 1, sockets: 1, closed: 0 });
      process.kill(gateOf(box.pid), "SIGKILL");
      expect(await box.ask("exited")).toMatchObject({ code: 137 });
      await expect
        .poll(() => arrivals().then(({ came }) => came))
        .toEqual({ ...before, closed: before.servers + before.sockets });
      expect((await arrivals()).open).toBe(0);
      await start();
      expect((await arrivals()).came).toEqual({
        servers: 2 * before.servers,
        sockets: 2,
        closed: before.servers + before.sockets,
      });
      await box.ask("answer", "tell");
      expect(await act("talk", { host: "9.9.9.9", port: 22 })).toBe("9.9.9.9:22\n");
    });
  });

const LISTENING = "0A";
const UNCONNECTED = "07";

/** proc_net(5): sockets of the network namespace in which `pid` is. */
function socketsOf(pid: number, kind: string, state: string): { readonly port: number; readonly inode: string }[] {
  const rows = readFileSync(`/proc/${pid}/net/${kind}`, "latin1").trim().split("\n").slice(1);
  const columns = rows.map((row) => row.trim().split(/\s+/));
  return columns
    .filter((column) => column[3] === state)
    .map((column) => ({ port: Number.parseInt(column[1]?.split(":")[1] ?? "", 16), inode: column[9] ?? "" }));
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

const reason = whyNot("rooted");

describe(`an application that is root in its own network${reason === null ? "" : ` (skipped: ${reason})`}`, () => {
  const check = test.skipIf(reason !== null);
  let network: Network;
  let arrivals: Arrivals;
  let host: HostListeners;

  beforeEach(async () => {
    if (reason !== null) return;
    arrivals = createArrivals("tell");
    host = await listenOnHost();
    const { scratch, ...spec } = specFor("/none", { egressPorts: [443] });
    const { ids, root } = rooted({ scratch, ...spec });
    const { ip } = findTools();
    network = await openNetwork({ ...spec, scratch, ip, ids, root, innerGroups: false, receiver: arrivals });
  });

  afterEach(async () => {
    if (reason !== null) return;
    await network.close();
    host.close();
  });

  const inside = (script: string) =>
    spawnSync("/usr/bin/nsenter", ["--net=/proc/self/fd/3", "/bin/busybox", "sh", "-c", script], {
      stdio: ["ignore", "pipe", "pipe", network.namespaces.appNetwork],
      encoding: "utf8",
      timeout: 15_000,
    });
  // The listeners are this very process's, so it must not wait for what runs inside.
  const dial = async (target: string): Promise<string> => {
    const [address, port] = target.split(":");
    const { namespaces } = network;
    const options = { stdio: ["ignore", "pipe", "pipe", namespaces.appNetwork] as const };
    const command = ["--net=/proc/self/fd/3", "/bin/busybox", "nc", "-w", "2", address ?? "", port ?? ""];
    const child = spawn("/usr/bin/nsenter", command, { ...options, stdio: [...options.stdio] });
    const [out, err] = await Promise.all([child.stdout, child.stderr].map((stream) => text(stream as Readable)));
    return `${out}${err}`.trim();
  };

  check("is told by the gate what it dialled, and gets nowhere with addresses and routes of its own", async () => {
    expect(await dial("203.0.113.7:443")).toBe("203.0.113.7:443");
    const before = host.log.length;
    const others = hostAddresses().filter((address) => !address.includes(":") && !address.startsWith("127."));
    const changes = [
      "address add 203.0.113.99/24 dev eth0",
      "address add 169.254.169.1/16 dev eth0",
      ...others.map((address) => `route add ${address}/32 via 10.200.0.1 dev eth0 onlink`),
      "route add 198.51.100.0/24 via 10.200.0.1 src 203.0.113.99",
      "route add 127.0.0.0/8 via 10.200.0.1 table 7",
    ];
    for (const change of changes) expect(inside(`/usr/sbin/ip ${change}`), change).toMatchObject({ status: 0 });
    inside("echo 0 > /proc/sys/net/ipv6/conf/all/disable_ipv6; echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet");
    for (const address of [...others, "10.200.0.1", "169.254.169.254"]) {
      expect(await dial(`${address}:${host.port}`), address).toMatch(/refused|timed out|unreachable/i);
      expect(inside(`ping -c 1 -W 1 ${address}`).status, address).not.toBe(0);
      inside(`echo hello | nc -u -w 1 ${address} ${host.port}`);
    }
    // As somebody that it is not: the gate takes no packet from an address that it holds to be its own.
    expect(inside("nc -w 2 -s 203.0.113.99 198.51.100.1 443").status).not.toBe(0);
    expect(inside("nc -w 2 fe80::1%eth0 443").status).not.toBe(0);
    expect(host.log.slice(before)).toEqual([]);
    expect(arrivals.dialled.every((target) => target.endsWith(":443"))).toBe(true);
  });

  check("is refused everywhere once the gate was killed", { timeout: 30_000 }, async () => {
    expect(await dial("198.18.0.9:443")).toBe("198.18.0.9:443");
    process.kill(gateOf(process.pid), "SIGKILL");
    await network.gate.gone;
    for (const target of ["198.18.0.9:443", "10.200.0.1:53", "8.8.8.8:443"]) {
      expect(await dial(target)).toMatch(/refused/i);
    }
    expect(arrivals.came).toEqual({ servers: 2, sockets: 1, closed: 3 });
  });
});
