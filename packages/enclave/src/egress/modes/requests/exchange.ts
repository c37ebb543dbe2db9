/** One request of the application and its answer. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { EgressLimits } from "../limits.ts";

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Has the application send the body, if it waits for leave to (`Expect: 100-continue`). */
  readonly wantsBody: () => void;
}

/** An exchange with an application that sends its body without being asked. */
export function openExchange(request: IncomingMessage, response: ServerResponse): Exchange {
  return { request, response, wantsBody: () => {} };
}

/**
 * An exchange with an application that waits for `100 Continue`. Until that is sent, nobody knows whether the body will
 * follow an answer or the next request, so such an answer closes the connection.
 */
export function openWaitingExchange(request: IncomingMessage, response: ServerResponse): Exchange {
  const keepAlive = response.shouldKeepAlive;
  response.shouldKeepAlive = false;
  const wantsBody = (): void => {
    response.shouldKeepAlive = keepAlive;
    response.writeContinue();
  };
  return { request, response, wantsBody };
}

/**
 * Reads the rest of an answered request's body, so that the application gets to read the answer before its connection is
 * closed; cuts the connection when that is too much or takes too long.
 */
export function discardRest(request: IncomingMessage, limits: EgressLimits): void {
  if (request.complete || request.destroyed) return;
  let left = limits.lingerBytes;
  const cut = (): void => void request.socket.destroy();
  const timer = setTimeout(cut, limits.linger);
  // Whoever wanted the body takes none of it any more.
  request.removeAllListeners("readable");
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) cut();
  });
  request.once("end", () => clearTimeout(timer)).once("close", () => clearTimeout(timer));
  request.resume();
}
