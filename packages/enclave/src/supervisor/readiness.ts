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
  /** Called after each "no" with what it was. */
  readonly onUnready: (answer: Unready) => void;
}

/** No connection is accepted at the port; or one is, and the path does not answer with success. */
export type Unready = "no-connection" | "no-success";

/** Asks until the answer is yes; rejects when `signal` aborts. */
export async function untilReady({ dial, check, clock, signal, onUnready }: ReadinessOptions): Promise<void> {
  for (let pause = FIRST_PAUSE; ; pause = Math.min(LONGEST_PAUSE, pause * 2)) {
    const answer = await ask(dial, check);
    if (answer === "ready") break;
    if (!signal.aborted) onUnready(answer);
    await clock.sleep(pause, signal);
  }
  signal.throwIfAborted();
}

async function ask(dial: () => Promise<Socket>, check: ReadyCheck): Promise<Unready | "ready"> {
  let socket: Socket;
  try {
    socket = await dial();
  } catch {
    return "no-connection";
  }
  try {
    return check === null || (await answersWell(socket, check.path)) ? "ready" : "no-success";
  } catch {
    return "no-success";
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
