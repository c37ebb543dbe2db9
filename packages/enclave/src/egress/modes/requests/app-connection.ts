/** One connection of the application on which requests come: its clock, its unanswered requests, its way to the host. */
import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Destination } from "../../contract.ts";
import type { EgressLimits } from "../limits.ts";
import type { Upstream } from "./upstream.ts";

export interface AppConnection {
  readonly destination: Destination;
  readonly upstream: Upstream;
  /** False where the request must not be looked at: its connection is about to end, or was cut just now. */
  admits(response: ServerResponse): boolean;
  /** An answer said that it is the last, or will: what comes now is no request. */
  isEnding(): boolean;
  /** No request is under way: an answer to other bytes cannot fall into the middle of another. */
  isQuiet(): boolean;
  /** No request is awaited any more: the connection became something else. */
  leave(): void;
}

export interface AppConnectionOptions {
  readonly socket: Duplex;
  readonly destination: Destination;
  readonly upstream: Upstream;
  readonly limits: EgressLimits;
  /** Called when a request's head did not come whole in time. */
  readonly onSlow: () => void;
}

/** Watches over `socket` until it closes; then the way to the host is closed too. */
export function openAppConnection({
  socket,
  destination,
  upstream,
  limits,
  onSlow,
}: AppConnectionOptions): AppConnection {
  const unanswered = new Set<ServerResponse>();
  let isOver = false;
  let clock = setTimeout(onSlow, limits.head);
  socket.once("close", () => {
    isOver = true;
    clearTimeout(clock);
    upstream.close();
  });
  const isEnding = (): boolean => isOver || [...unanswered].some(({ shouldKeepAlive }) => !shouldKeepAlive);
  const answered = (response: ServerResponse): void => {
    if (!response.shouldKeepAlive) isOver = true;
    unanswered.delete(response);
    // From the end of one answer to the end of the next head: dripping a head byte by byte gains nothing.
    if (unanswered.size === 0 && !isOver) clock = setTimeout(onSlow, limits.head);
  };
  return {
    destination,
    upstream,
    admits(response) {
      clearTimeout(clock);
      // What stands behind a refused request may be a part of it, and Node goes on parsing all the same.
      if (isEnding()) return false;
      if (unanswered.size === limits.pipelined) socket.destroy();
      unanswered.add(response);
      response.once("close", () => answered(response));
      return !socket.destroyed;
    },
    isEnding,
    isQuiet: () => unanswered.size === 0,
    leave: () => clearTimeout(clock),
  };
}
