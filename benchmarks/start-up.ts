/** How long a box takes until it serves its application, self-test and first Evidence included, and what it holds then. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Driver } from "../packages/enclave/src/parts.ts";
import { isRoot, NOBODY, whyNot } from "../packages/enclave/test/fixtures-sandbox/availability.ts";
import {
  busyboxRootfs,
  removeTemporary,
  temporaryDirectory,
} from "../packages/enclave/test/fixtures-sandbox/rootfs.ts";
import { bounded } from "./bounded.ts";
import { manifest, writeBoxRoot, writeBundle, writeEmptyImage } from "./box-folder.ts";
import { commandLine, processTree } from "./cpu.ts";
import { mebibytes, type Memory, memoryOf, together } from "./memory.ts";
import { median, medianRatio } from "./statistics.ts";
import { printResults, type Result, type Row, times } from "./table.ts";

const rounds = 7;
/** Milliseconds after which a box that nobody calls is at rest. */
const rest = 2000;

const name = "start-up";

/** Milliseconds from the start of the process; one value a round. */
interface Samples {
  readonly node: number[];
  readonly egress: number[];
  readonly sandbox: number[];
  readonly listening: number[];
  readonly ready: number[];
}

export async function measureStartUp(): Promise<Result> {
  const drivers = (["rooted", "unprivileged"] as const).filter((driver) => whyNot(driver) === null);
  if (drivers.length === 0) return { name, method: `skipped: ${whyNot("unprivileged")}`, rows: [] };
  process.once("exit", removeTemporary);
  await using started = new AsyncDisposableStack();
  const socket = await startDevice(started);
  const main = await writeBundle(temporaryDirectory());
  const places = drivers.map((driver) => makePlace({ driver, main, socket }));
  const rows = await measureRounds(places);
  return {
    name,
    method: `${rounds} rounds after one that is not counted: a bare Node, then a box by each driver: the bundle as it ships, three rules of egress, a busybox web server as the application; from the start of the process to the event`,
    rows: [...rows, ...(await measureRest(places))],
  };
}

/** The simulated TEE's device, one for all boxes. */
async function startDevice(started: AsyncDisposableStack): Promise<string> {
  const folder = temporaryDirectory();
  writeEmptyImage(join(folder, "image"));
  const socket = join(folder, "device/device.sock");
  const entry = fileURLToPath(new URL("../packages/enclave/src/simulated/device/main.ts", import.meta.url));
  const where = ["--image", join(folder, "image"), "--socket", socket, "--state", join(folder, "state")];
  const args = ["--conditions=blindbox-source", entry, ...where, "--exit-with-parent"];
  const device = spawn(process.execPath, args, { env: {}, stdio: ["pipe", "pipe", "inherit"] });
  started.defer(() => end(device));
  await eventsOf(device).next("listening");
  // So that a box that is an ordinary user's reaches it too.
  chmodSync(join(folder, "device"), 0o755);
  chmodSync(socket, 0o666);
  return socket;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

interface Events {
  /** Milliseconds of this process's clock at which the event came; rejects where the process ends before. */
  next(event: string): Promise<number>;
}

function eventsOf(child: ChildProcess): Events {
  const arrived = new Map<string, PromiseWithResolvers<number>>();
  const find = (event: string): PromiseWithResolvers<number> => {
    const found = arrived.get(event) ?? Promise.withResolvers<number>();
    arrived.set(event, found);
    return found;
  };
  let last = "";
  if (child.stdout) {
    createInterface(child.stdout).on("line", (line) => {
      last = line;
      find((JSON.parse(line) as { event: string }).event).resolve(performance.now());
    });
  }
  const gone = once(child, "close").then(() => Promise.reject(new Error(`a program ended early: ${last}`)));
  gone.catch(() => {});
  return { next: (event) => Promise.race([find(event).promise, gone]) };
}

/** Where one driver's boxes are started. */
interface Place {
  readonly driver: Driver;
  readonly args: readonly string[];
  readonly user: { readonly uid?: number; readonly gid?: number };
}

function makePlace({ driver, main, socket }: { driver: Driver; main: string; socket: string }): Place {
  const [root, scratch] = [temporaryDirectory(), join(temporaryDirectory(), "s")];
  writeBoxRoot(root);
  mkdirSync(join(root, "app"));
  renameSync(busyboxRootfs(driver), join(root, "app/rootfs"));
  mkdirSync(scratch);
  const user = isRoot && driver === "unprivileged" ? { uid: NOBODY, gid: NOBODY } : {};
  if (user.uid !== undefined) chownSync(scratch, user.uid, user.gid);
  const where = ["--root", root, "--listen", "127.0.0.1:0", "--device", socket, "--scratch", scratch];
  return { driver, user, args: [main, ...where, "--driver", driver, "--exit-with-parent"] };
}

function startBox({ args, user }: Place): ChildProcess {
  return spawn(process.execPath, args, { ...user, cwd: "/", env: {}, stdio: ["pipe", "pipe", "inherit"] });
}

async function measureRounds(places: readonly Place[]): Promise<Row[]> {
  const samples = new Map(places.map(({ driver }) => [driver, noSamples()]));
  for (let round = -1; round < rounds; round += 1) {
    const node = await timeBareNode();
    for (const place of places) {
      const into = round < 0 ? noSamples() : samples.get(place.driver);
      into?.node.push(node);
      await timeBox(place, into ?? noSamples());
    }
  }
  return [...samples].flatMap(([driver, values], at) => rowsOf(driver, values, at === 0));
}

function noSamples(): Samples {
  return { node: [], egress: [], sandbox: [], listening: [], ready: [] };
}

/** The least that any program of Node takes. */
async function timeBareNode(): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, ["-e", "console.log()"], {
    cwd: "/",
    env: {},
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  await once(child.stdout, "data");
  const taken = performance.now() - started;
  await ended;
  return taken;
}

async function timeBox(place: Place, samples: Samples): Promise<void> {
  const started = performance.now();
  const box = startBox(place);
  try {
    const events = eventsOf(box);
    for (const event of ["egress", "sandbox", "listening", "ready"] as const) {
      samples[event].push((await events.next(event)) - started);
    }
  } finally {
    const ended = once(box, "close");
    box.kill("SIGTERM");
    await ended;
  }
}

function rowsOf(driver: Driver, { node, egress, sandbox, listening, ready }: Samples, isFirst: boolean): Row[] {
  const ms = (values: readonly number[]): string => `${median(values).toFixed(0)} ms`;
  const between = (later: readonly number[], earlier: readonly number[]): string =>
    ms(later.map((value, at) => value - (earlier[at] ?? Number.NaN)));
  const target = "< 1500 ms";
  const whole = { result: `${ms(ready)} (${Math.max(...ready).toFixed(0)} at most)`, target };
  return [
    ...(isFirst ? [{ measured: "a bare Node", result: ms(node) }] : []),
    { measured: `${driver}: ready`, ...whole, ratio: `${times(medianRatio(ready, node))} bare Node` },
    { measured: `${driver}: of it program, files, egress authority`, result: ms(egress) },
    { measured: `${driver}: of it sandbox and its network`, result: between(sandbox, egress) },
    { measured: `${driver}: of it self-test, TLS key, first Evidence`, result: between(listening, sandbox) },
    { measured: `${driver}: of it the application`, result: between(ready, listening) },
  ];
}

async function measureRest(places: readonly Place[]): Promise<Row[]> {
  const [place] = places;
  if (place === undefined) return [];
  const box = startBox(place);
  try {
    await eventsOf(box).next("ready");
    await setTimeout(rest);
    return await rowsAtRest(box.pid ?? 0, place.driver);
  } finally {
    await end(box);
  }
}

async function rowsAtRest(box: number, driver: Driver): Promise<Row[]> {
  const processes: { readonly args: string; readonly memory: Memory }[] = [];
  for (const pid of await processTree(box)) {
    const [args, memory] = [await commandLine(pid), await memoryOf(pid)];
    if (!args.startsWith(`${manifest.app.command[0]}\0`)) processes.push({ args, memory });
  }
  const [whole, ...others] = processes;
  const gate = others.find(({ args }) => args.includes("gate.mjs"))?.memory;
  const rest = others.filter(({ args }) => !args.includes("gate.mjs")).map(({ memory }) => memory);
  const show = (memory: Memory | undefined): string =>
    memory === undefined ? "none" : `${mebibytes(memory.own)} and ${mebibytes(memory.files)} of files`;
  const measured = `memory at rest (${driver})`;
  return [
    { measured: `${measured}: box`, result: show(whole?.memory) },
    { measured: `${measured}: gate`, result: show(gate) },
    { measured: `${measured}: ${rest.length} more processes`, result: mebibytes(together(rest)) },
    {
      measured: `${measured}: all, files counted once, without the application`,
      result: mebibytes(together(processes.map(({ memory }) => memory))),
    },
  ];
}

if (import.meta.main) printResults([await bounded(measureStartUp)]);
