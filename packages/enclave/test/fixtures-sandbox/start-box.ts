/** Starts the process of box.ts, by root or by an ordinary user, and talks to it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Driver, SandboxSpec } from "../../src/parts.ts";
import { isRoot, NOBODY } from "./availability.ts";
import { temporaryDirectory } from "./rootfs.ts";

export interface RunningBox {
  readonly child: ChildProcess;
  readonly pid: number;
  /** What the supervisor inside emitted so far. */
  readonly events: readonly { readonly event: string }[];
  /** Resolves with the answer; rejects with an error whose message is the code. */
  ask<T>(operation: string, argument?: string): Promise<T>;
}

const boxes: ChildProcess[] = [];

/** Kills every box that a test left, and waits for it. */
export async function endBoxes(): Promise<void> {
  for (const child of boxes.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
}

export function specFor(rootfs: string, more: Partial<SandboxSpec> = {}): SandboxSpec {
  const scratch = join(temporaryDirectory(), "scratch");
  mkdirSync(scratch);
  return {
    rootfs,
    command: ["httpd", "-f", "-p", "80", "-h", "/www"],
    env: { PATH: "/usr/bin:/bin" },
    workingDir: "/",
    user: { uid: 1000, gid: 1001 },
    writable: [],
    resources: { memory: 256 * 1024 * 1024, cpus: 1000, processes: 64, tmp: 16 * 1024 * 1024 },
    port: 80,
    scratch,
    users: "one",
    egressPorts: [],
    trust: null,
    ...more,
  };
}

const fromSources = ["--conditions=blindbox-source", fileURLToPath(new URL("box.ts", import.meta.url))];

/** Does not wait until the sandbox is made; `ready` of the answer does. */
export function launchBox(
  driver: Driver,
  spec: SandboxSpec,
  program: readonly string[] = fromSources,
): { box: RunningBox; ready: Promise<void> } {
  const ids = isRoot && driver === "unprivileged" ? { uid: NOBODY, gid: NOBODY } : {};
  if ("uid" in ids) chownSync(spec.scratch, NOBODY, NOBODY);
  // A secret of the box, which must not be seen inside.
  const env = { PATH: "/usr/bin:/bin", BOX_SECRET: "of the box" };
  const args = [...program, JSON.stringify({ spec, driver })];
  const child = spawn(process.execPath, args, { ...ids, env, stdio: ["pipe", "pipe", "inherit"] });
  boxes.push(child);
  const events: { event: string }[] = [];
  const started = Promise.withResolvers<void>();
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  createInterface(child.stdout).on("line", (line) => {
    const message = JSON.parse(line) as { id?: number; error?: string; reason?: string; event?: { event: string } };
    if (message.event) events.push(message.event);
    else if (message.id === undefined) settle(started as PromiseWithResolvers<unknown>, message);
    else settle(waiting.get(message.id), message);
  });
  let next = 0;
  const ask = <T>(operation: string, argument = ""): Promise<T> => {
    const id = next++;
    const answer = Promise.withResolvers<unknown>();
    waiting.set(id, answer);
    child.stdin?.write(`${id} ${operation} ${argument}\n`);
    return answer.promise as Promise<T>;
  };
  return { box: { child, pid: child.pid ?? -1, events, ask }, ready: started.promise };
}

export async function startBox(driver: Driver, spec: SandboxSpec, program?: readonly string[]): Promise<RunningBox> {
  const { box, ready } = launchBox(driver, spec, program);
  await ready;
  return box;
}

function settle(
  promise: PromiseWithResolvers<unknown> | undefined,
  { error, reason, ...message }: { error?: string; reason?: string; result?: unknown },
): void {
  if (error === undefined) promise?.resolve(message.result);
  else promise?.reject(new Error(`${error}: ${reason}`));
}
