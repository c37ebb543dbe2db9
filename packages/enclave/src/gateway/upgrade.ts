/** A WebSocket of a caller to the application: only where the rule that admits the request says so. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Dispatcher, Pool } from "undici";
import { reset } from "../reset.ts";
import { splice, type SpliceCounts } from "../splice.ts";
import { agreementText, agreesToWebSocket, rawHeadersOf } from "../websocket.ts";
import type { Admitted } from "./admission.ts";
import { headersForClient } from "./headers.ts";
import { type ProblemCode, rawProblem } from "./problems.ts";

/** A request that asks to become something else, on a connection with nothing else under way. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What came behind the request. */
  readonly head: Buffer;
}

/** How a WebSocket ended, and what crossed it. */
export interface UpgradeEnd extends SpliceCounts {
  /** `broken`: the caller left before there was an answer. */
  readonly outcome: "answered" | "broken" | ProblemCode;
  /** Whether the caller was told that the WebSocket is open. */
  readonly agreed: boolean;
}

/** Answers with a problem and closes: what follows was meant for another protocol. */
export function refuseUpgrade(socket: Duplex, code: ProblemCode): void {
  if (socket.writable) socket.end(rawProblem(code), () => socket.destroy());
  else socket.destroy();
}

/**
 * Asks the application for the WebSocket, and makes one connection of two where it agrees as RFC 6455 says. Bounded by the
 * rule: its `time` is the life of all of it, from the request on, and no longer than the caller's credentials last; its
 * `response` bounds the bytes towards the caller. Resolves when it is over.
 */
export async function serveUpgrade(pool: Pool, upgrade: Upgrade, admitted: Admitted): Promise<UpgradeEnd> {
  const { request, socket } = upgrade;
  const ended = AbortSignal.timeout(lifeOf(admitted));
  const upstream = await openUpstream({ pool, request, socket, ended, headers: admitted.headers });
  if (typeof upstream === "string") {
    if (upstream !== "broken") refuseUpgrade(socket, upstream);
    return { outcome: upstream, agreed: false, sent: 0, received: 0 };
  }
  return carry(socket, upstream, ended, admitted);
}

/** Whole milliseconds, as timers want them: the times in a token may have fractions. */
function lifeOf({ decided: { limits }, until, now }: Admitted): number {
  const left = until === null ? limits.time : Math.min(limits.time, Math.max(0, until - now));
  return Math.floor(left * 1000);
}

async function carry(
  socket: Duplex,
  { stream, answer }: Upstream,
  ended: AbortSignal,
  { decided: { limits } }: Admitted,
): Promise<UpgradeEnd> {
  let outcome: UpgradeEnd["outcome"] = "answered";
  const cut = (code: ProblemCode): void => {
    if (outcome === "answered") outcome = code;
    [socket, stream].forEach(reset);
  };
  if (socket.destroyed || ended.aborted) cut("app-timeout");
  else socket.write(agreementText(headersForClient(101, answer)), "latin1");
  const late = (): void => cut("app-timeout");
  ended.addEventListener("abort", late, { once: true });
  boundBytes(stream, limits.response, () => cut("answer-too-large"));
  const counts = await splice(socket, stream, limits.time * 1000);
  ended.removeEventListener("abort", late);
  return { outcome, agreed: true, ...counts };
}

function boundBytes(stream: Duplex, most: number, exceeded: () => void): void {
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > most) exceeded();
  });
}

interface Upstream {
  readonly stream: Duplex;
  /** The raw header lines of the application's agreement. */
  readonly answer: readonly string[];
}

interface Opening {
  readonly pool: Pool;
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly ended: AbortSignal;
  readonly headers: readonly string[];
}

/** The application's side, or why there is none. Given up when the caller leaves or the rule's time is over. */
function openUpstream(opening: Opening): Promise<Upstream | ProblemCode | "broken"> {
  const { pool, request, socket, ended, headers } = opening;
  const { promise, resolve } = Promise.withResolvers<Upstream | ProblemCode | "broken">();
  let controller: Dispatcher.DispatchController | null = null;
  const giveUp = (code: ProblemCode | "broken"): void => {
    resolve(code);
    controller?.abort(new Error("given up"));
  };
  const onClose = (): void => giveUp("broken");
  const onLate = (): void => giveUp("app-timeout");
  socket.once("close", onClose);
  ended.addEventListener("abort", onLate, { once: true });
  pool.dispatch(
    { method: "GET", path: request.url ?? "", headers: [...headers], upgrade: "websocket" },
    {
      onRequestStart(started) {
        controller = started;
        if (socket.destroyed || ended.aborted) giveUp("broken");
      },
      onRequestUpgrade(started, status, _headers, stream) {
        controller = null;
        const answer = rawHeadersOf(started);
        if (agreesToWebSocket(request.rawHeaders, status, answer)) return resolve({ stream, answer });
        reset(stream);
        resolve("app-failed");
      },
      onResponseStart: (started) => started.abort(new Error("no WebSocket")),
      onResponseError: () => resolve("app-failed"),
    },
  );
  return promise.finally(() => {
    socket.off("close", onClose);
    ended.removeEventListener("abort", onLate);
  });
}
