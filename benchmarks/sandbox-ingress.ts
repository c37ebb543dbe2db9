/** The price of the sandbox for a caller: the same gateway and application, with a sandbox between them and without. */
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { whyNot } from "../packages/enclave/test/fixtures-sandbox/availability.ts";
import { nodeRootfs, removeTemporary, temporaryDirectory } from "../packages/enclave/test/fixtures-sandbox/rootfs.ts";
import type { AppSettings } from "./app-program.ts";
import { bounded } from "./bounded.ts";
import { startSetup } from "./box.ts";
import type { BoxReady, BoxSettings } from "./box-program.ts";
import { type Child, startChild } from "./child.ts";
import { commandLine, cpuOf, processTree } from "./cpu.ts";
import { type Load, openLoad } from "./keep-alive-load.ts";
import { median, medianRatio } from "./statistics.ts";
import { printResults, type Result, type Row, times } from "./table.ts";

const rounds = 9;
const warmUp = 4000;
const manyConnections = 64;
const requestsOfMany = 4000;
const requestsOfOne = 500;

const name = "sandbox ingress";

/** One box, and what its rounds gave. */
interface Path {
  readonly many: Load;
  readonly one: Load;
  readonly gateway: number;
  readonly app: number;
  readonly samples: Samples;
}

/** One value a round. Times in microseconds. */
interface Samples {
  readonly perSecond: number[];
  readonly alone: number[];
  readonly gatewayCpu: number[];
  readonly appCpu: number[];
}

export async function measureSandboxIngress(): Promise<Result> {
  const missing = whyNot("rooted");
  if (missing !== null) return { name, method: `skipped: ${missing}`, rows: [] };
  process.once("exit", removeTemporary);
  await using started = new AsyncDisposableStack();
  const { app, box } = started.use(await startSetup());
  const sandboxed = started.use(await startSandboxed());
  const without = started.use(await openPath(box, app.pid));
  const within = started.use(await openPath(sandboxed, await applicationOf(sandboxed.pid)));
  await measureRounds([without, within]);
  return {
    name,
    method: `${rounds} rounds of both in turn: ${requestsOfMany} GETs of 200 bytes of JSON over ${manyConnections} kept connections, then ${requestsOfOne} one after the other, warm, driver rooted; user and system time of each process`,
    rows: rowsOf(without.samples, within.samples),
  };
}

/** A box whose application is the same program as the other's, inside a sandbox. */
function startSandboxed(): Promise<Child<BoxReady>> {
  const rootfs = nodeRootfs("rooted");
  mkdirSync(join(rootfs, "benchmark"));
  for (const file of ["app-program.ts", "child.ts", "body.ts"]) {
    copyFileSync(fileURLToPath(new URL(file, import.meta.url)), join(rootfs, "benchmark", file));
  }
  const settings = { host: "0.0.0.0", port: 80 } satisfies AppSettings;
  const command = ["/usr/bin/node", "/benchmark/app-program.ts", JSON.stringify(settings)];
  const app = { rootfs, command, scratch: temporaryDirectory() };
  return startChild<BoxReady>("box-program.ts", { app, deviceMs: 0 } satisfies BoxSettings);
}

async function applicationOf(box: number): Promise<number> {
  for (const pid of await processTree(box)) {
    if ((await commandLine(pid)).startsWith("/usr/bin/node\0/benchmark/")) return pid;
  }
  throw new Error("the application does not run");
}

async function openPath({ ready, pid }: Child<BoxReady>, app: number): Promise<Path & Disposable> {
  const options = { port: ready.port, tls: true, headers: [`authorization: Bearer ${ready.apiKey}`] };
  const many = await openLoad({ ...options, connections: manyConnections });
  const one = await openLoad({ ...options, connections: 1 });
  const close = (): void => [many, one].forEach((load) => load[Symbol.dispose]());
  const samples = { perSecond: [], alone: [], gatewayCpu: [], appCpu: [] };
  return { many, one, gateway: pid, app, samples, [Symbol.dispose]: close };
}

async function measureRounds(paths: readonly Path[]): Promise<void> {
  for (const { many } of paths) await many.send(warmUp);
  for (let round = 0; round < rounds; round += 1) {
    for (const path of round % 2 === 0 ? paths : paths.toReversed()) await measureOnce(path);
  }
}

async function measureOnce({ many, one, gateway, app, samples }: Path): Promise<void> {
  // Brings back what fell asleep while the other path was measured.
  await many.send(10 * manyConnections);
  const before = [await cpuOf(gateway), await cpuOf(app)] as const;
  const taken = await timed(() => many.send(requestsOfMany));
  const after = [await cpuOf(gateway), await cpuOf(app)] as const;
  samples.perSecond.push((1e6 * requestsOfMany) / taken);
  samples.gatewayCpu.push((after[0] - before[0]) / requestsOfMany);
  samples.appCpu.push((after[1] - before[1]) / requestsOfMany);
  samples.alone.push((await timed(() => one.send(requestsOfOne))) / requestsOfOne);
}

/** Microseconds. */
async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return 1000 * (performance.now() - started);
}

function rowsOf(without: Samples, within: Samples): Row[] {
  const row = (measured: string, key: keyof Samples, unit: string): Row[] => {
    const format = (values: readonly number[]): string => `${median(values).toFixed(0)} ${unit}`;
    return [
      { measured: `${measured}, no sandbox`, result: format(without[key]) },
      {
        measured: `${measured}, sandbox`,
        result: format(within[key]),
        ratio: `${times(medianRatio(within[key], without[key]))} no sandbox`,
      },
    ];
  };
  return [
    ...row("requests at once", "perSecond", "requests/s"),
    ...row("one request", "alone", "µs"),
    ...row("CPU of the gateway", "gatewayCpu", "µs/request"),
    ...row("CPU of the application", "appCpu", "µs/request"),
  ];
}

if (import.meta.main) printResults([await bounded(measureSandboxIngress)]);
