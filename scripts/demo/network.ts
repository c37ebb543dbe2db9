/**
 * Two networks of the demonstration's own, linked: in the one are box, client and the play, in the other the fake internet.
 * They are gone with the last process in them.
 */
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { addresses, type Arrival, type Line } from "./hosts.ts";
import type { Scene } from "./vendor.ts";

const program = fileURLToPath(new URL("internet.ts", import.meta.url));

/** Long enough for an app that waits for one host before it asks the next. */
const patienceMs = 30_000;

/** The fake internet, and what arrived there. */
export interface Internet {
  /** Where its DNS answers. */
  readonly resolver: string;
  /** The certificate of the clinic's own authority, PEM. */
  readonly authority: string;
  /** All that arrived so far. */
  readonly arrivals: readonly Arrival[];
  /** The first of the arrivals that is such a one, now or soon. */
  arrival(isWanted: (arrival: Arrival) => boolean): Promise<Arrival>;
  /** From now on DNS says this of the name; resolves when nobody remembers what it said before. */
  redirect(name: string, address: string): Promise<void>;
}

/** What to put before a command so that it has a network of its own; null where this machine allows nobody here to. */
export async function enterNetwork({ processes, folder }: Scene): Promise<readonly string[] | null> {
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? [] : ["--user", "--map-current-user", "--keep-caps"];
  const prefix = ["unshare", ...user, "--net", "--"];
  const [enter = "", ...args] = prefix;
  const link = ["ip", "link", "add", "net0", "type", "veth", "peer", "name", "up0"];
  try {
    await processes.run(enter, [...args, ...link], { cwd: folder });
    return prefix;
  } catch {
    processes.signal.throwIfAborted();
    return null;
  }
}

/** Starts the fake internet beside the network that we are in, and links the two. */
export async function startInternet({ processes, folder }: Scene): Promise<Internet> {
  const args = ["--net", "--", process.execPath, "--conditions=blindbox-source", program];
  // Its standard input ends with us, and it with that.
  const child = processes.start("unshare", args, { cwd: folder, stdio: ["pipe", "pipe", "inherit"] });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error("the fake internet has no pipes");
  const ready = Promise.withResolvers<string>();
  const redirected = new Map<string, () => void>();
  const arrivals: Arrival[] = [];
  createInterface(stdout).on("line", (text) => {
    const line = JSON.parse(text) as Line;
    if ("authority" in line) ready.resolve(line.authority);
    else if ("redirected" in line) redirected.get(line.redirected)?.();
    else arrivals.push(line);
  });
  const ended = new Promise<never>((_, reject) => {
    child.once("error", reject).once("exit", () => reject(new Error("the fake internet has ended")));
  });
  // Whoever waits for it is told; at the end nobody does.
  ended.catch(() => undefined);
  stdin.on("error", () => undefined);
  const authority = await Promise.race([ready.promise, ended]);
  await joinNetwork({ processes, folder });
  return {
    resolver: addresses.resolver,
    authority,
    arrivals,
    async arrival(isWanted) {
      for (let waited = 0; waited < patienceMs; waited += 50) {
        const found = arrivals.find(isWanted);
        if (found !== undefined) return found;
        await setTimeout(50, null, { signal: processes.signal });
      }
      throw new Error("what should have arrived in the fake internet did not");
    },
    async redirect(name, address) {
      const said = Promise.withResolvers<void>();
      redirected.set(name, said.resolve);
      stdin.write(`${JSON.stringify({ name, address })}\n`);
      await Promise.race([said.promise, ended]);
      // The box keeps an answer as long as it is said to hold, which is a second here.
      await setTimeout(1_100, null, { signal: processes.signal });
    },
  };
}

async function joinNetwork({ processes, folder }: Pick<Scene, "processes" | "folder">): Promise<void> {
  for (const command of [
    "link set lo up",
    `address add ${addresses.box}/24 dev net0`,
    "link set net0 up",
    `route add default via ${addresses.gateway}`,
  ])
    await processes.run("ip", command.split(" "), { cwd: folder });
}
