/** A process of a local run: its events, its end, and nothing of it left behind. */
import { type ChildProcess, spawn } from "node:child_process";
import { faultCode } from "../file-fault.ts";
import { type BoxEvent, eventReader } from "./box-event.ts";
import { RunError } from "./run-error.ts";

/** What is started. */
export interface ChildCommand {
  /** For errors. */
  readonly name: "box" | "device";
  readonly program: string;
  readonly arguments: readonly string[];
  readonly directory: string;
  readonly onEvent: (event: BoxEvent) => void;
}

/** How a process ended; both null when it could not be started. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** True where its program may not be executed. */
  readonly forbidden?: true;
}

const maxDetail = 4096;

/**
 * A started process. Its environment is empty. Its standard input is a pipe that ends when this process does, however that
 * happens: with `--exit-with-parent` it then exits too. It has a process group of its own, so that Ctrl-C in a terminal
 * reaches us alone and we can stop it in order.
 */
export class Child {
  readonly name: "box" | "device";
  readonly exited: Promise<ChildExit>;
  readonly #process: ChildProcess;
  readonly #waiting: Set<(event: BoxEvent) => void> = new Set();
  #refusal: BoxEvent | null = null;
  #detail = "";

  constructor(command: ChildCommand) {
    this.name = command.name;
    this.#process = spawn(command.program, [...command.arguments], {
      cwd: command.directory,
      env: {},
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    this.exited = endOf(this.#process);
    this.#read(command.onEvent);
  }

  /** The first event of that name. Rejects with a RunError when the process ends before, or refused. */
  async next(event: string): Promise<BoxEvent> {
    const found = Promise.withResolvers<BoxEvent>();
    const listen = (each: BoxEvent): void => {
      if (each.event === event) found.resolve(each);
    };
    this.#waiting.add(listen);
    try {
      return await Promise.race([found.promise, this.exited.then((exit) => Promise.reject(this.failure(exit)))]);
    } finally {
      this.#waiting.delete(listen);
    }
  }

  /** The error for its early end. */
  failure({ code, signal, forbidden }: ChildExit): RunError {
    const { reason, hint, code: refusal }: Partial<BoxEvent> = this.#refusal ?? {};
    const detail = this.#detail;
    if (typeof reason === "string" && typeof refusal === "string") {
      return new RunError(`${this.name}-refused`, {
        reason,
        hint: typeof hint === "string" ? hint : "",
        refusal,
        detail,
      });
    }
    if (forbidden === true) return mayNotStart(this.name);
    const how = code === null && signal === null ? "could not be started" : `ended early (${signal ?? code})`;
    const problem = { reason: `the ${this.name} process ${how}`, hint: "what it wrote last may say more", detail };
    return new RunError(`${this.name}-failed`, problem);
  }

  /** Asks it to end, and kills it and its group after `graceMs` milliseconds; resolves when it is gone. */
  async stop(graceMs: number): Promise<void> {
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.#kill(), graceMs);
    await this.exited;
    clearTimeout(timer);
    this.#kill();
  }

  #kill(): void {
    const { pid } = this.#process;
    if (pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // The group is empty already.
    }
  }

  #read(onEvent: (event: BoxEvent) => void): void {
    const { stdin, stdout, stderr } = this.#process;
    stdin?.on("error", () => {});
    const read = eventReader((event) => {
      if (event.event === "refused") this.#refusal = event;
      onEvent(event);
      for (const listen of this.#waiting) listen(event);
    });
    stdout?.setEncoding("utf8").on("data", read);
    stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#detail = `${this.#detail}${text}`.slice(-maxDetail);
    });
  }
}

/** The box's program lies in the state directory: a file system from which nothing is executed is no place for it. */
function mayNotStart(name: "box" | "device"): RunError {
  const hint =
    "choose a state directory (XDG_STATE_HOME) on a file system from which programs may be started (no noexec)";
  return new RunError("state-unusable", { reason: `the program of the ${name} may not be executed`, hint });
}

/** Resolves once the process ended and everything that it wrote was read. */
function endOf(child: ChildProcess): Promise<ChildExit> {
  const ended = Promise.withResolvers<ChildExit>();
  child.on("error", (error) => {
    const exit = { code: null, signal: null };
    ended.resolve(faultCode(error) === "EACCES" ? { ...exit, forbidden: true } : exit);
  });
  child.on("close", (code, signal) => ended.resolve({ code, signal }));
  return ended.promise;
}
