/** Starts the fake internet and a box beside it, and remembers what reached the former. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Seen } from "./names.ts";
import { createNetworks, type Networks } from "./namespaces.ts";

export interface Internet {
  readonly networks: Networks;
  /** Base64 of the root that its sites are certified by, and the same in PEM. */
  readonly root: string;
  readonly pem: string;
  /** What arrived since it was last asked. Waits a little for what is still on its way. */
  seen(): Promise<readonly Seen[]>;
  /** How many IP packets arrived in the internet's network, whatever is in them. */
  packets(): number;
  /** From now on DNS says this of the name. */
  resolve(name: string, addresses: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

interface Line extends Partial<Seen> {
  readonly ready?: true;
  readonly changed?: string;
  readonly root?: string;
  readonly pem?: string;
}

let count = 0;

export async function startInternet(): Promise<Internet> {
  const networks = createNetworks(`${process.pid}-${count++}`);
  try {
    return await startWorld(networks);
  } catch (error) {
    networks.remove();
    throw error;
  }
}

async function startWorld(networks: Networks): Promise<Internet> {
  const child = spawnIn(networks.internet, process.execPath, sourceProgram("world.ts"));
  let log: Seen[] = [];
  const ready = Promise.withResolvers<Line>();
  const changes = new Map<string, () => void>();
  void once(child, "exit").finally(() => ready.reject(new Error("the fake internet did not start")));
  createInterface(child.stdout as NonNullable<typeof child.stdout>).on("line", (text) => {
    const line = JSON.parse(text) as Line;
    if (line.ready) ready.resolve(line);
    else if (line.changed !== undefined) changes.get(line.changed)?.();
    else log.push(line as Seen);
  });
  const { root = "", pem = "" } = await ready.promise;
  return {
    networks,
    root,
    pem,
    async seen() {
      await setTimeout(150);
      const now = log;
      log = [];
      return now;
    },
    packets: () => packetsIn(networks.internet),
    async resolve(name, addresses) {
      const changed = Promise.withResolvers<void>();
      changes.set(name, changed.resolve);
      child.stdin?.write(`${JSON.stringify({ name, addresses })}\n`);
      await changed.promise;
    },
    async close() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      networks.remove();
    },
  };
}

function packetsIn(network: string): number {
  const text = execFileSync("ip", ["netns", "exec", network, "cat", "/proc/net/snmp"], { encoding: "latin1" });
  const [names = [], values = []] = [...text.matchAll(/^Ip: (.*)$/gm)].map(([, line = ""]) => line.split(" "));
  return Number(values[names.indexOf("InReceives")]);
}

/** Arguments of Node for a program of this folder. */
export function sourceProgram(name: string): string[] {
  return ["--conditions=blindbox-source", fileURLToPath(new URL(name, import.meta.url))];
}

/** Runs a program in a network, by root or, with `user`, by somebody else. */
export function spawnIn(network: string, program: string, args: readonly string[], user?: number): ChildProcess {
  const who = user === undefined ? [] : ["-S", String(user), "-G", String(user)];
  return spawn("nsenter", [`--net=/run/netns/${network}`, ...who, "--", program, ...args], {
    env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin" },
    stdio: ["pipe", "pipe", "inherit"],
  });
}
