/**
 * What the application's developer gets to read where the box answers in the host's place: problem details (RFC 9457) of
 * constant text. The type ends in the verdict that stands in the ledger.
 */
import { STATUS_CODES, type ServerResponse } from "node:http";
import type { EgressErrorCode } from "../../errors.ts";

type Status = 400 | 403 | 421 | 502;

const titles: Readonly<Record<Status, string>> = {
  400: "The request is not in the form that the box lets out",
  403: "No egress rule allows this request",
  421: "The Host header is not the name that this connection is for",
  502: "The host was not reached, did not prove its name, or gave no valid answer",
};

// Whatever is not listed befell the way to the host.
const statuses: Partial<Record<EgressErrorCode, Status>> = {
  "refused-request-form": 400,
  "refused-request-target": 400,
  "refused-request-timeout": 400,
  "refused-request-host": 421,
  "refused-request-method": 403,
  "refused-request-path": 403,
  "refused-request-override": 403,
  "refused-upgrade": 403,
};

/** Answers with the problem. The head of `response` must not have been sent. */
export function sendProblem(response: ServerResponse, verdict: EgressErrorCode): void {
  const { status, body, headers } = problemOf(verdict);
  // Where the next request starts behind a malformed one is not certain.
  if (status === 400) response.shouldKeepAlive = false;
  response.sendDate = false;
  response.writeHead(status, headers);
  response.end(body);
}

/** The same answer as text, for a connection that has no request to answer and is closed after it. */
export function rawProblem(verdict: EgressErrorCode): string {
  const { status, body, headers } = problemOf(verdict);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\n${lines.join("")}\r\n${body}`;
}

function problemOf(verdict: EgressErrorCode): { status: Status; body: string; headers: Record<string, string> } {
  const status = statuses[verdict] ?? 502;
  const body = JSON.stringify({ type: `urn:blindbox:problem:egress:${verdict}`, title: titles[status], status });
  const headers = {
    "content-type": "application/problem+json",
    "content-length": String(Buffer.byteLength(body)),
    "cache-control": "no-store",
  };
  return { status, body, headers };
}
