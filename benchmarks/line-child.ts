/** A program in another network, which is asked and answers in lines of JSON. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface LineChild<Ready> extends AsyncDisposable {
  readonly pid: number;
  /** Its first line. */
  readonly ready: Ready;
  ask<T>(operation: string, argument?: string): Promise<T>;
}

interface Line {
  readonly id?: number;
  readonly ready?: true;
  readonly error?: string;
  readonly result?: unknown;
}

/** Resolves when `child` says that it is ready; kills it where it does not. */
export async function talkTo<Ready>(child: ChildProcess): Promise<LineChild<Ready>> {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const ready = Promise.withResolvers<unknown>();
  waiting.set(-1, ready);
  read(child, waiting);
  const gone = once(child, "exit");
  void gone.then(() => waiting.forEach(({ reject }) => reject(new Error("a program of the benchmark ended early"))));
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  const end = async (): Promise<void> => {
    process.off("exit", kill);
    kill();
    await gone;
  };
  let next = 0;
  const ask = <T>(operation: string, argument = ""): Promise<T> => {
    const [id, answer] = [next++, Promise.withResolvers<unknown>()];
    waiting.set(id, answer);
    child.stdin?.write(`${JSON.stringify({ id, operation, argument })}\n`);
    return answer.promise as Promise<T>;
  };
  try {
    return { pid: child.pid ?? 0, ready: (await ready.promise) as Ready, ask, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

function read(child: ChildProcess, waiting: ReadonlyMap<number, PromiseWithResolvers<unknown>>): void {
  if (!child.stdout) throw new TypeError("a child without a pipe");
  createInterface(child.stdout).on("line", (text) => {
    const line = JSON.parse(text) as Line;
    const answer = line.id === undefined ? (line.ready ?? line.error) && waiting.get(-1) : waiting.get(line.id);
    if (!answer) return;
    if (line.error === undefined) answer.resolve(line.id === undefined ? line : line.result);
    else answer.reject(new Error(line.error));
  });
}
