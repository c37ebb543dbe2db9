/** A WebSocket of a caller to the application: only where the rule that admits the request says so. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Pool } from "undici";
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
  readonly outcome: "answered" | ProblemCode;
}

/** Answers with a problem and closes: what follows was meant for another protocol. */
export function refuseUpgrade(socket: Duplex, code: ProblemCode): void {
  if (socket.writable) socket.end(rawProblem(code), () => socket.destroy());
  else socket.destroy();
}

/**
 * Asks the application for the WebSocket, and makes one connection of two where it agrees as RFC 6455 says. Bounded by the
 * rule: its `time` is the life of the connection, its `response` all bytes towards the caller. Resolves when it is over.
 */
export async function serveUpgrade(
  pool: Pool,
  { request, socket }: Upgrade,
  { decided: { limits }, headers }: Admitted,
): Promise<UpgradeEnd> {
  const upstream = await openUpstream(pool, request, headers);
  if (typeof upstream === "string") {
    refuseUpgrade(socket, upstream);
    return { outcome: upstream, sent: 0, received: 0 };
  }
  const { stream, answer } = upstream;
  if (socket.destroyed) reset(stream);
  else socket.write(agreementText(headersForClient(101, answer)), "latin1");
  const cut = (): void => [socket, stream].forEach(reset);
  const timer = setTimeout(cut, limits.time * 1000);
  boundBytes(stream, limits.response, cut);
  const counts = await splice(socket, stream, limits.time * 1000);
  clearTimeout(timer);
  return { outcome: "answered", ...counts };
}

function boundBytes(stream: Duplex, most: number, cut: () => void): void {
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > most) cut();
  });
}

interface Upstream {
  readonly stream: Duplex;
  /** The raw header lines of the application's agreement. */
  readonly answer: readonly string[];
}

/** The application's side, or why there is none. */
function openUpstream(
  pool: Pool,
  { url = "", rawHeaders }: IncomingMessage,
  headers: readonly string[],
): Promise<Upstream | ProblemCode> {
  const { promise, resolve } = Promise.withResolvers<Upstream | ProblemCode>();
  pool.dispatch(
    { method: "GET", path: url, headers: [...headers], upgrade: "websocket" },
    {
      onRequestStart() {},
      onRequestUpgrade(controller, status, _headers, stream) {
        const answer = rawHeadersOf(controller);
        if (agreesToWebSocket(rawHeaders, status, answer)) return resolve({ stream, answer });
        reset(stream);
        resolve("app-failed");
      },
      onResponseStart: (controller) => controller.abort(new Error("no WebSocket")),
      onResponseError: () => resolve("app-failed"),
    },
  );
  return promise;
}
