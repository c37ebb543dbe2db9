/** A supervisor with a sandbox and a clock that the test moves. */
import { once } from "node:events";
import { createServer, type AddressInfo, connect, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { expect, onTestFinished } from "vitest";
import type { AppExit, AppProcess, BoxEvent, Sandbox, Supervisor } from "../src/parts.ts";
import { createSupervisor, type SupervisorOptions } from "../src/supervisor/index.ts";

/** A clock that only the test moves. */
export class TurnedClock {
  time = 0;
  readonly sleeps: { readonly ms: number; readonly wake: () => void }[] = [];

  now(): number {
    return this.time;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      if (signal.aborted) return reject(signal.reason);
      this.sleeps.push({
        ms,
        wake: () => {
          this.time += ms;
          resolve();
        },
      });
    });
  }
}

export interface FakeApp extends AppProcess {
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
  end(code: number | null, signal?: string): void;
  /** Grace with which it was asked to stop, each time. */
  readonly stops: number[];
}

export function fakeApp(): FakeApp {
  const { promise: exited, resolve } = Promise.withResolvers<AppExit>();
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const end = (code: number | null, signal: string | null = null) => {
    stdout.end();
    stderr.end();
    resolve({ code, signal });
  };
  const stops: number[] = [];
  const stop = async (grace: number) => {
    stops.push(grace);
    end(143);
    await exited;
  };
  return { stdout, stderr, exited, end, stop, stops };
}

export class FakeSandbox implements Pick<Sandbox, "start" | "dial"> {
  readonly apps: FakeApp[] = [];
  port: number | null = null;
  failing: Error | null = null;

  async start(): Promise<AppProcess> {
    if (this.failing) throw this.failing;
    const app = fakeApp();
    this.apps.push(app);
    return app;
  }

  async dial(): Promise<Socket> {
    if (this.port === null) throw new Error("nobody listens");
    const socket = connect(this.port, "127.0.0.1");
    await once(socket, "connect");
    return socket;
  }

  /** From now on the application accepts, and answers each request with this status. */
  async listen(answer: () => string = () => "200 OK"): Promise<string[]> {
    const seen: string[] = [];
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", (chunk) => {
        seen.push(chunk.toString());
        socket.end(`HTTP/1.1 ${answer()}\r\ncontent-length: 0\r\n\r\n`);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    this.port = (server.address() as AddressInfo).port;
    return seen;
  }
}

export interface Scene {
  readonly sandbox: FakeSandbox;
  readonly clock: TurnedClock;
  readonly events: BoxEvent[];
  readonly states: string[];
  readonly supervisor: Supervisor;
  /** Lets the next sleep end; returns how long it was. */
  readonly wake: () => Promise<number>;
}

export function scene(options: Partial<SupervisorOptions> = {}): Scene {
  const [sandbox, clock] = [new FakeSandbox(), new TurnedClock()];
  const [events, states]: [BoxEvent[], string[]] = [[], []];
  const onEvent = (event: BoxEvent) => {
    events.push(event);
    states.push(supervisor.state());
  };
  const supervisor = createSupervisor({
    sandbox,
    ready: null,
    logs: "none",
    onEvent,
    clock,
    random: () => 0.999999,
    ...options,
  });
  const wake = async () => {
    await expect.poll(() => clock.sleeps.length).toBeGreaterThan(0);
    const [sleep] = clock.sleeps.splice(0, 1);
    sleep?.wake();
    await setImmediate();
    return Math.round(sleep?.ms ?? Number.NaN);
  };
  return { sandbox, clock, events, states, supervisor, wake };
}
