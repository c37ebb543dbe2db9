/** Every process of the demonstration, each at the head of a group of its own, so that none outlives it. */
import { spawn, type ChildProcess } from "node:child_process";

/** Long enough for a box that ends in order, which it does at once when nobody waits for an answer. */
export const graceMs = 15_000;

/** Where a program runs. */
export interface Place {
  readonly cwd: string;
  /** Left out: this process's environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Left out: nothing to read, and both outputs piped to us. */
  readonly stdio?: readonly ("ignore" | "pipe" | "inherit")[];
}

function ended(child: ChildProcess): Promise<void> {
  // Without a pid it was never started.
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once("exit", () => resolve()));
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is empty already.
  }
}

async function endInOrder(child: ChildProcess, grace: number): Promise<void> {
  signalGroup(child, "SIGTERM");
  const timer = setTimeout(() => signalGroup(child, "SIGKILL"), grace);
  await ended(child);
  clearTimeout(timer);
}

/** Starts processes until its signal is aborted, and ends them. Ctrl-C in a terminal reaches none of them directly. */
export class Processes {
  readonly signal: AbortSignal;
  readonly #grace: number;
  readonly #running: Set<ChildProcess> = new Set();
  readonly #ending: Map<ChildProcess, Promise<void>> = new Map();

  /** `grace`: milliseconds that a process has to end in. */
  constructor(signal: AbortSignal, grace: number = graceMs) {
    this.signal = signal;
    this.#grace = grace;
    signal.addEventListener("abort", () => void this.endAll());
  }

  /** Starts a program. Throws the signal's reason once it is aborted. */
  start(program: string, args: readonly string[], place: Place): ChildProcess {
    this.signal.throwIfAborted();
    const { cwd, env, stdio = ["ignore", "pipe", "pipe"] } = place;
    const child = spawn(program, [...args], { cwd, env, stdio: [...stdio], detached: true });
    this.#running.add(child);
    child.once("exit", () => this.#running.delete(child));
    return child;
  }

  /** Runs a program to its end and returns what it wrote. Rejects where it fails or could not be started. */
  async run(program: string, args: readonly string[], place: Place): Promise<string> {
    const child = this.start(program, args, place);
    const texts = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name]?.setEncoding("utf8").on("data", (text: string) => (texts[name] += text));
    const status = await new Promise((resolve, reject) => child.once("close", resolve).once("error", reject));
    this.signal.throwIfAborted();
    if (status !== 0) throw new Error(`${program} ${args[0] ?? ""} failed: ${texts.stderr.trim()}`);
    return texts.stdout;
  }

  /** Asks a process to end, kills its group where it does not, and resolves when it is gone. */
  end(child: ChildProcess): Promise<void> {
    // Asked twice, a program ends at once and leaves behind what it would have put away.
    const ending = this.#ending.get(child) ?? endInOrder(child, this.#grace);
    this.#ending.set(child, ending);
    return ending;
  }

  /** Ends every process that is left. */
  async endAll(): Promise<void> {
    await Promise.all([...this.#running].map((child) => this.end(child)));
  }
}
