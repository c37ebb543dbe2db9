/** One request and its answer, as gateway and egress both have them. */
import type { IncomingMessage, ServerResponse } from "node:http";

export interface RequestExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Has the other end send the body, if it waits for leave to (`Expect: 100-continue`). */
  readonly wantsBody: () => void;
}

/** An exchange with somebody who sends the body without being asked. */
export function openRequest(request: IncomingMessage, response: ServerResponse): RequestExchange {
  return { request, response, wantsBody: () => {} };
}

/**
 * An exchange with somebody who waits for `100 Continue`. Until that is sent, nobody knows whether the body will follow an
 * answer or the next request, so such an answer closes the connection.
 */
export function openWaitingRequest(request: IncomingMessage, response: ServerResponse): RequestExchange {
  const keepAlive = response.shouldKeepAlive;
  response.shouldKeepAlive = false;
  const wantsBody = (): void => {
    response.shouldKeepAlive = keepAlive;
    response.writeContinue();
  };
  return { request, response, wantsBody };
}

/** How much of the body of an answered request is read and thrown away, and for how many milliseconds. */
export interface LingerLimits {
  readonly lingerBytes: number;
  readonly linger: number;
}

/**
 * Reads the rest of an answered request's body, so that whoever sends it gets to read the answer before the connection is
 * closed; cuts the connection when that is too much or takes too long.
 */
export function discardRest(request: IncomingMessage, limits: LingerLimits): void {
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
