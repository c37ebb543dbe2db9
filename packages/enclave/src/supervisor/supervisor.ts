/** Keeps the application running, and knows whether requests may go to it. */
import type { Socket } from "node:net";
import type { AppExit, AppProcess, AppState, EmitEvent, Sandbox, Supervisor } from "../parts.ts";
import { type Backoff, createBackoff } from "./backoff.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type Logs, takeOutput } from "./output.ts";
import { createPatience, type Patience } from "./patience.ts";
import { type ReadyCheck, type Unready, untilReady } from "./readiness.ts";

export interface SupervisorOptions {
  readonly sandbox: Pick<Sandbox, "start" | "dial">;
  /** How the Manifest wants readiness to be found out. */
  readonly ready: ReadyCheck;
  /** What may leave the box of what the application writes. */
  readonly logs: Logs;
  /**
   * Called after the state changed: `app-started`, `app-ready`, `app-down` (with the exit code or the name of the signal
   * and nothing else that the application chose), `app-start-failed`, `app-draining`; and once with `app-not-answering`
   * where the application was not ready for some seconds, restarts included.
   */
  readonly onEvent: EmitEvent;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** From 0 up to, not including, 1. Default: `Math.random`; it only spreads restarts. */
  readonly random?: () => number;
}

/** Starts nothing yet. */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  return new AppSupervisor(options);
}

class AppSupervisor implements Supervisor {
  readonly #options: SupervisorOptions;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #patience: Patience = createPatience();
  readonly #ending = new AbortController();
  #state: AppState = "starting";
  #app: AppProcess | null = null;
  #running: Promise<void> | null = null;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#backoff = createBackoff(options.random ?? Math.random);
  }

  state(): AppState {
    return this.#state;
  }

  /** Rejects with what the sandbox says where the application cannot be started at all; later failures are retried. */
  async start(): Promise<void> {
    if (this.#running) throw new TypeError("the supervisor was started already");
    const first = this.#startOnce();
    this.#running = first.then(
      (app) => this.#keepRunning(app),
      () => {},
    );
    await first;
  }

  dial(): Promise<Socket> {
    if (this.#state === "ready" || this.#state === "draining") return this.#options.sandbox.dial();
    return Promise.reject(new Error(`the application is ${this.#state}`));
  }

  async drain(graceMs: number): Promise<void> {
    this.#ending.abort();
    this.#become("draining", { event: "app-draining" });
    await this.#app?.stop(graceMs);
    await this.#running;
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#app?.stop(0);
    await this.#running;
    this.#state = "down";
  }

  async #keepRunning(first: AppProcess): Promise<void> {
    for (let app: AppProcess | null = first; app; app = await this.#startAgain()) {
      const { exit, readyFor } = await this.#accompany(app);
      if (this.#ending.signal.aborted) return;
      this.#become("down", { event: "app-down", ...factsOf(exit) });
      await this.#pause(readyFor);
    }
  }

  async #startOnce(): Promise<AppProcess> {
    const app = await this.#options.sandbox.start();
    this.#app = app;
    takeOutput(app, { logs: this.#options.logs, onEvent: this.#options.onEvent, clock: this.#clock });
    if (this.#ending.signal.aborted) await app.stop(0);
    else this.#become("starting", { event: "app-started" });
    return app;
  }

  /** Tries until it works; `null` when it is not wanted any more. */
  async #startAgain(): Promise<AppProcess | null> {
    while (!this.#ending.signal.aborted) {
      try {
        return await this.#startOnce();
      } catch (error) {
        this.#options.onEvent({ event: "app-start-failed", code: codeOf(error) });
        await this.#pause(0);
      }
    }
    return null;
  }

  /** Until the application ends; returns how, and for how many milliseconds it was ready. */
  async #accompany(app: AppProcess): Promise<{ readonly exit: AppExit; readonly readyFor: number }> {
    this.#patience.waiting(this.#clock.now());
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#ending.signal]);
    const since = this.#whenReady(signal);
    const exit = await app.exited;
    over.abort();
    this.#app = null;
    const readyAt = await since;
    return { exit, readyFor: readyAt === null ? 0 : this.#clock.now() - readyAt };
  }

  async #whenReady(signal: AbortSignal): Promise<number | null> {
    const { sandbox, ready } = this.#options;
    try {
      const onUnready = (answer: Unready): void => this.#loseHope(answer);
      await untilReady({ dial: () => sandbox.dial(), check: ready, clock: this.#clock, signal, onUnready });
    } catch {
      return null;
    }
    this.#patience.ready();
    this.#become("ready", { event: "app-ready" });
    return this.#clock.now();
  }

  #loseHope(answer: Unready): void {
    const seconds = this.#patience.lost(this.#clock.now());
    if (seconds !== null) this.#options.onEvent({ event: "app-not-answering", seconds, answer });
  }

  async #pause(readyFor: number): Promise<void> {
    await this.#clock.sleep(this.#backoff.next(readyFor), this.#ending.signal).catch(() => {});
  }

  #become(state: AppState, event: Parameters<EmitEvent>[0]): void {
    if (this.#state === "draining") return;
    this.#state = state;
    this.#options.onEvent(event);
  }
}

/** A number of eight bits or the name of a signal; one byte a restart, which the backoff makes rare, leaves the box so. */
function factsOf({ code, signal }: AppExit): { readonly code: number | null; readonly signal: string | null } {
  const isCode = code !== null && Number.isInteger(code) && code >= 0 && code <= 255;
  return { code: isCode ? code : null, signal: signal !== null && /^SIG[A-Z0-9]{1,12}$/.test(signal) ? signal : null };
}

/** Only a code of our own form; whatever else an error holds stays here. */
function codeOf(error: unknown): string {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : null;
  return typeof code === "string" && /^[a-z][a-z-]{0,63}$/.test(code) ? code : "unknown";
}
