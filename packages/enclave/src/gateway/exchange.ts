import type { IncomingMessage, ServerResponse } from "node:http";
import { openRequest, openWaitingRequest, type RequestExchange } from "../request-exchange.ts";
import { type Header, type ProblemCode, sendProblem } from "./problems.ts";

/** One request, its answer, and what the log may say of them. */
export interface Exchange extends RequestExchange {
  /** Index of the access rule; null before one was found. */
  rule: number | null;
  /** How it ended, in our words: the application's status code would be a word of the application. */
  outcome: "answered" | ProblemCode;
}

/** An exchange with a caller that sends its body without being asked. */
export function openExchange(request: IncomingMessage, response: ServerResponse): Exchange {
  return { ...openRequest(request, response), rule: null, outcome: "answered" };
}

/** An exchange with a caller that waits for leave to send its body; see `openWaitingRequest`. */
export function openWaitingExchange(request: IncomingMessage, response: ServerResponse): Exchange {
  return { ...openWaitingRequest(request, response), rule: null, outcome: "answered" };
}

/** Answers with a problem. */
export function refuse(exchange: Exchange, code: ProblemCode, headers: readonly Header[] = []): void {
  exchange.outcome = code;
  sendProblem(exchange.response, code, headers);
}
