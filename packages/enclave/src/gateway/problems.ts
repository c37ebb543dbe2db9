/**
 * Refusals and faults as problem details (RFC 9457). The types are stable and public; none says anything of the
 * application, of who may call, or of what the caller sent.
 */
import { STATUS_CODES, type ServerResponse } from "node:http";

interface Problem {
  readonly status: number;
  readonly title: string;
  /** The connection ends with it: where the next request starts is not certain, or there shall be none. */
  readonly closes: boolean;
  /** Headers that the status demands. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** The last part of a problem's `type`. */
export type ProblemCode =
  | "bad-request"
  | "bad-host"
  | "repeated-credential"
  | "misplaced-credential"
  | "bad-target"
  | "bad-attestation-request"
  | "unauthenticated"
  | "forbidden"
  | "not-found"
  | "method-not-allowed"
  | "request-timeout"
  | "body-too-large"
  | "expectation-failed"
  | "nonce-outstanding"
  | "too-many-requests"
  | "headers-too-large"
  | "fault"
  | "not-implemented"
  | "app-failed"
  | "answer-too-large"
  | "app-not-ready"
  | "evidence-unavailable"
  | "draining"
  | "app-timeout"
  | "http-version";

const table: Readonly<Record<ProblemCode, Problem>> = {
  "bad-request": closing(400, "The request is not well-formed HTTP/1.1"),
  "bad-host": closing(400, "The Host header is not a host name or address"),
  "repeated-credential": closing(400, "More than one credential"),
  "misplaced-credential": closing(400, "A credential in the request target"),
  "bad-target": open(400, "The request target is not in its plain form"),
  "bad-attestation-request": open(400, "Not an attestation request"),
  unauthenticated: open(401, "A valid credential is needed", ["www-authenticate", "Bearer"]),
  forbidden: open(403, "The access rules do not allow this request"),
  "not-found": open(404, "Nothing is here"),
  "method-not-allowed": open(405, "The method is not allowed here"),
  "request-timeout": closing(408, "The request did not arrive in time"),
  "body-too-large": open(413, "The request body is larger than allowed"),
  "expectation-failed": closing(417, "The expectation cannot be met"),
  "nonce-outstanding": open(429, "An attestation is outstanding on this connection", ["retry-after", "1"]),
  "too-many-requests": open(429, "Too many requests"),
  "headers-too-large": closing(431, "The request headers are larger than allowed"),
  fault: closing(500, "A fault of the box"),
  "not-implemented": closing(501, "Neither CONNECT nor this Upgrade is supported"),
  "app-failed": open(502, "The application gave no valid answer"),
  "answer-too-large": open(502, "The application's answer is larger than allowed"),
  "app-not-ready": open(503, "The application is not ready", ["retry-after", "1"]),
  "evidence-unavailable": open(503, "No evidence can be had now", ["retry-after", "1"]),
  draining: closing(503, "The box is about to stop", ["retry-after", "1"]),
  "app-timeout": open(504, "The application did not answer in time"),
  "http-version": closing(505, "Only HTTP/1.1 is spoken here"),
};

export type Header = readonly [name: string, value: string];

function open(status: number, title: string, ...headers: Header[]): Problem {
  return { status, title, closes: false, headers };
}

function closing(status: number, title: string, ...headers: Header[]): Problem {
  return { status, title, closes: true, headers };
}

/** The status that a problem is answered with. */
export function statusOf(code: ProblemCode): number {
  return table[code].status;
}

/** Answers with the problem. The head of `response` must not have been sent. */
export function sendProblem(response: ServerResponse, code: ProblemCode, extra: readonly Header[] = []): void {
  const problem = table[code];
  const body = bodyOf(code, problem);
  if (problem.closes) response.shouldKeepAlive = false;
  response.sendDate = false;
  response.writeHead(problem.status, headersOf(problem, body, extra).flat());
  response.end(body);
}

/** The same answer as text, for a connection that has no request to answer and is closed after it. */
export function rawProblem(code: ProblemCode): string {
  const problem = table[code];
  const body = bodyOf(code, problem);
  const headers = headersOf(problem, body, []).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\nconnection: close\r\n${headers.join("")}\r\n${body}`;
}

function bodyOf(code: ProblemCode, problem: Problem): string {
  return JSON.stringify({ type: `urn:blindbox:problem:${code}`, title: problem.title, status: problem.status });
}

function headersOf(problem: Problem, body: string, extra: readonly Header[]): Header[] {
  return [
    ["content-type", "application/problem+json"],
    ["content-length", String(Buffer.byteLength(body))],
    ["cache-control", "no-store"],
    ...problem.headers,
    ...extra,
  ];
}
