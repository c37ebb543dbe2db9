/** Whether the application is ready for requests. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "./clock.ts";

/** Path to ask with GET; `null` where it suffices that a connection is accepted. */
export type ReadyCheck = { readonly path: string } | null;

/** Milliseconds between two questions: short at first, since most applications are up at once. */
const FIRST_PAUSE = 25;
const LONGEST_PAUSE = 500;
/** Milliseconds until an answer. */
const PATIENCE = 5_000;

export interface ReadinessOptions {
  readonly dial: () => Promise<Socket>;
  readonly check: ReadyCheck;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Asks until the answer is yes; rejects when `signal` aborts. */
export async function untilReady({ dial, check, clock, signal }: ReadinessOptions): Promise<void> {
  for (let pause = FIRST_PAUSE; !(await isReady(dial, check)); pause = Math.min(LONGEST_PAUSE, pause * 2)) {
    await clock.sleep(pause, signal);
  }
  signal.throwIfAborted();
}

async function isReady(dial: () => Promise<Socket>, check: ReadyCheck): Promise<boolean> {
  let socket: Socket;
  try {
    socket = await dial();
  } catch {
    return false;
  }
  try {
    return check === null || (await answersWell(socket, check.path));
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Only the status is read. */
async function answersWell(socket: Socket, path: string): Promise<boolean> {
  const headers = { host: "localhost", connection: "close" };
  const asked = request({ path, headers, createConnection: () => socket, signal: AbortSignal.timeout(PATIENCE) });
  asked.end();
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  const status = answer.statusCode ?? 0;
  answer.on("error", () => {});
  asked.on("error", () => {});
  answer.destroy();
  return status >= 200 && status < 300;
}
