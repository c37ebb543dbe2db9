/**
 * A process that holds one sandbox, as the box does, and does what it is told line by line: so that both drivers can be
 * tried by their own kind of user, and that the process can be killed.
 */
import { get } from "node:http";
import { setTimeout } from "node:timers/promises";
import { createInterface } from "node:readline";
import type { AppProcess, DriverChoice, SandboxSpec } from "../../src/parts.ts";
import { createSandbox, SandboxError } from "../../src/sandbox/index.ts";
import { askPostgres } from "./postgres-client.ts";
import { type Answer, createArrivals } from "./receiver.ts";
import { createSupervisor } from "../../src/supervisor/index.ts";

interface Setting {
  readonly spec: SandboxSpec;
  readonly driver: DriverChoice;
}

const { spec, driver } = JSON.parse(process.argv[2] ?? "null") as Setting;
const output = { stdout: "", stderr: "" };
let app: AppProcess | null = null;

try {
  await serve();
} catch (error) {
  say(described(error));
  process.exit(1);
}

async function serve(): Promise<void> {
  const arrivals = createArrivals();
  const sandbox = await createSandbox(spec, driver, arrivals);
  const supervisor = createSupervisor({ sandbox, ready: null, logs: "none", onEvent: (event) => say({ event }) });
  const operations: Record<string, (argument: string) => Promise<unknown>> = {
    selfTest: () => sandbox.selfTest(),
    limits: () => Promise.resolve({ driver: sandbox.driver, limits: sandbox.limits }),
    start: async () => {
      app = await sandbox.start();
      for (const name of ["stdout", "stderr"] as const) {
        app[name].on("data", (chunk: Buffer) => {
          output[name] += chunk.toString();
        });
      }
    },
    exited: async () => app?.exited,
    stop: (grace) => app?.stop(Number(grace)) ?? Promise.resolve(),
    output: () => Promise.resolve(output),
    get: (path) => request(path),
    dial: async (count) => {
      const sockets = await Promise.all(Array.from({ length: Number(count || 1) }, () => sandbox.dial()));
      const peers = sockets.map((socket) => `${socket.remoteAddress}:${socket.remotePort}`);
      for (const socket of sockets) socket.on("error", () => {}).destroy();
      return peers;
    },
    arrivals: () => Promise.resolve(arrivals),
    answer: (answer) => {
      arrivals.answer = answer as Answer;
      return Promise.resolve();
    },
    listen: (count) => Promise.all(Array.from({ length: Number(count) }, listen)),
    query: async (sql) => {
      const socket = await sandbox.dial();
      return askPostgres(socket, sql.replaceAll("+", " ")).finally(() => socket.destroy());
    },
    supervise: () => supervisor.start(),
    state: () => Promise.resolve(supervisor.state()),
    drain: (grace) => supervisor.drain(Number(grace)),
    close: () => sandbox.close(),
  };
  const listen = async () => {
    const socket = await sandbox.dial();
    // Long enough for whatever is said first to have arrived before anybody reads.
    await setTimeout(20);
    return Buffer.concat(await socket.toArray()).toString();
  };
  const request = async (path: string): Promise<unknown> => {
    const socket = await sandbox.dial();
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    get({ path, headers: { host: "app", connection: "close" }, createConnection: () => socket }, (answer) => {
      let body = "";
      answer.on("data", (chunk: Buffer) => (body += chunk.toString()));
      answer.on("end", () => resolve({ status: answer.statusCode, body }));
      answer.on("error", reject);
    }).on("error", reject);
    return promise;
  };
  say({ ready: true });
  for await (const line of createInterface(process.stdin)) {
    const [id = "", name = "", argument = ""] = line.split(" ");
    void answer(Number(id), async () => operations[name]?.(argument));
  }
}

async function answer(id: number, operation: () => Promise<unknown>): Promise<void> {
  try {
    say({ id, result: (await operation()) ?? null });
  } catch (error) {
    say({ id, ...described(error) });
  }
}

function described(error: unknown): { error: string; reason: string } {
  if (error instanceof SandboxError) return { error: error.code, reason: error.reason };
  return { error: (error as NodeJS.ErrnoException).code ?? "unknown", reason: String(error) };
}

function say(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
