import type { IncomingMessage, ServerResponse } from "node:http";
import { type Header, type ProblemCode, sendProblem } from "./problems.ts";

/** One request, its answer, and what the log may say of them. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Has the caller send the body, if it waits for leave to (`Expect: 100-continue`). */
  readonly wantsBody: () => void;
  /** Index of the access rule; null before one was found. */
  rule: number | null;
  /** How it ended, in our words: the application's status code would be a word of the application. */
  outcome: "answered" | ProblemCode;
}

/** An exchange with a caller that sends its body without being asked. */
export function openExchange(request: IncomingMessage, response: ServerResponse): Exchange {
  return { request, response, wantsBody: () => {}, rule: null, outcome: "answered" };
}

/**
 * An exchange with a caller that waits for `100 Continue`. Until that is sent, nobody knows whether the body will follow
 * an answer or the next request, so such an answer closes the connection.
 */
export function openWaitingExchange(request: IncomingMessage, response: ServerResponse): Exchange {
  const keepAlive = response.shouldKeepAlive;
  response.shouldKeepAlive = false;
  const wantsBody = (): void => {
    response.shouldKeepAlive = keepAlive;
    response.writeContinue();
  };
  return { ...openExchange(request, response), wantsBody };
}

/** Answers with a problem. */
export function refuse(exchange: Exchange, code: ProblemCode, headers: readonly Header[] = []): void {
  exchange.outcome = code;
  sendProblem(exchange.response, code, headers);
}
