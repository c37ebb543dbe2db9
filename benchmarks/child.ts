/** Programs of their own for what is measured, so that the CPU of one is never counted for another. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A program that listens, and answers one question at a time. */
export interface Child<Ready> extends AsyncDisposable {
  readonly ready: Ready;
  readonly pid: number;
  /** CPU time of its whole life, user and system, in microseconds. */
  cpu(): Promise<number>;
  /** How often its TEE device was asked. */
  reports(): Promise<number>;
}

/** What a program can be asked. */
export type Question = "cpu" | "reports";

/** Starts a program of this folder with its settings; resolves when it says that it is ready. */
export async function startChild<Ready>(program: string, settings: object): Promise<Child<Ready>> {
  const path = fileURLToPath(new URL(program, import.meta.url));
  // No environment: what the machine sets (extra certificates, options) would be measured with it.
  const child = fork(path, [JSON.stringify(settings)], { env: {}, execArgv: ["--conditions=blindbox-source"] });
  const ask = async (question: Question): Promise<number> => {
    child.send(question);
    return (await nextMessage(child)) as number;
  };
  return {
    ready: (await nextMessage(child)) as Ready,
    pid: child.pid ?? 0,
    cpu: () => ask("cpu"),
    reports: () => ask("reports"),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

async function nextMessage(child: ChildProcess): Promise<unknown> {
  const arrived = Promise.withResolvers<unknown>();
  const died = (): void => arrived.reject(new Error("a program of the benchmark ended early"));
  child.once("message", arrived.resolve).once("exit", died).once("error", arrived.reject);
  try {
    return await arrived.promise;
  } finally {
    child.off("message", arrived.resolve).off("exit", died).off("error", arrived.reject);
  }
}

/** Called in the program: tells that it is ready, then answers until its parent is gone. */
export function answerParent(ready: object, reports: () => number): void {
  process.on("message", (question: Question) => void process.send?.(question === "cpu" ? ownCpu() : reports()));
  process.once("disconnect", () => process.exit());
  process.send?.(ready);
}

function ownCpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
