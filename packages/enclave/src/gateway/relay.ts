/** One answer on its way from the application to the caller. */
import type { ServerResponse } from "node:http";
import type { Dispatcher } from "undici";
import { AnswerBody } from "../answer-body.ts";
import { AppUnreachableError } from "./app-pool.ts";
import { BodyTooLargeError } from "./body.ts";
import { headersForClient, isPlainlyFramed, trailersForClient } from "./headers.ts";
import type { GatewayLimits } from "./limits.ts";
import { type ProblemCode, sendProblem } from "./problems.ts";

export interface RelayOptions {
  readonly response: ServerResponse;
  /** True once the gateway drains: the answer then announces the end of its connection. */
  readonly draining: () => boolean;
  /** True while the application is known to live. */
  readonly appLives: () => boolean;
  readonly limits: Pick<GatewayLimits, "request" | "answer" | "interimAnswers" | "settle"> & {
    /** Bytes that the answer's body may have. */
    readonly answerBytes: number;
  };
  /** Called once, if the answer is not the application's. */
  readonly onProblem: (code: ProblemCode) => void;
}

/** The application answered, or failed to, in a way that the gateway does not accept. */
class UnacceptableAnswerError extends Error {
  readonly code: "app-failed" | "app-timeout" | "answer-too-large";

  constructor(code: UnacceptableAnswerError["code"]) {
    super("the application's answer is not acceptable");
    this.name = "UnacceptableAnswerError";
    this.code = code;
  }
}

type Controller = Dispatcher.DispatchController;

/** An answer that cannot be finished breaks the caller's connection: what was cut never looks complete. */
export class Relay implements Dispatcher.DispatchHandler {
  readonly #options: RelayOptions;
  readonly #response: ServerResponse;
  readonly #body: AnswerBody;
  #controller: Controller | null = null;
  #callerGone = false;
  #bytesSent = false;
  #bytes = 0;
  #endsWithConnection = false;
  #interimAnswers = 0;
  #headTimer: NodeJS.Timeout | null = null;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#response = options.response;
    this.#body = new AnswerBody(options.response, () => this.#controller?.resume());
    this.#response.once("close", () => this.#abandon());
  }

  /** Bytes of the answer's body that were taken from the application. */
  get bytes(): number {
    return this.#bytes;
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#callerGone) this.#abandon();
    else this.#awaitHead(this.#options.limits.request + this.#options.limits.answer);
  }

  onRequestSent(): void {
    if (this.#headTimer !== null) this.#awaitHead(this.#options.limits.answer);
  }

  onResponseStart(controller: Controller, status: number): void {
    if (this.#callerGone) return;
    if (status < 200) return this.#swallow(controller);
    this.#stopAwaitingHead();
    const raw = latin1(controller.rawHeaders);
    if (!isPlainlyFramed(raw)) return controller.abort(new UnacceptableAnswerError("app-failed"));
    if (declaredBytes(raw) > this.#options.limits.answerBytes && this.#response.req.method !== "HEAD") {
      return controller.abort(new UnacceptableAnswerError("answer-too-large"));
    }
    this.#endsWithConnection = isUndelimited(status, this.#response, raw);
    if (this.#options.draining()) this.#response.shouldKeepAlive = false;
    this.#response.sendDate = false;
    if (!this.#writes(() => this.#response.writeHead(status, headersForClient(status, raw)))) return;
    // A head without body bytes behind it must not wait for them: the caller of an event stream waits for the head.
    process.nextTick(() => this.#flushHead());
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#callerGone) return;
    this.#bytesSent = true;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#options.limits.answerBytes) {
      return controller.abort(new UnacceptableAnswerError("answer-too-large"));
    }
    if (!this.#body.add(chunk)) controller.pause();
  }

  onResponseEnd(controller: Controller): void {
    this.#controller = null;
    if (this.#callerGone) return;
    const trailers = trailersForClient(latin1(controller.rawTrailers));
    if (this.#response.chunkedEncoding && !this.#writes(() => this.#response.addTrailers(trailers))) return;
    if (this.#endsWithConnection) setTimeout(() => this.#endIfAppLives(), this.#options.limits.settle);
    else this.#finish();
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#stopAwaitingHead();
    this.#controller = null;
    if (this.#callerGone) return;
    if (this.#response.headersSent) {
      this.#options.onProblem(error instanceof UnacceptableAnswerError ? error.code : "app-failed");
      this.#response.destroy();
      return;
    }
    const code = problemOf(error);
    this.#options.onProblem(code);
    sendProblem(this.#response, code);
  }

  /** The rule's time for the whole request is over: a problem where nothing was sent yet, else the connection breaks. */
  expire(): void {
    if (this.#controller !== null) return this.#controller.abort(new UnacceptableAnswerError("app-timeout"));
    // Not begun yet, or all that is left is for the caller to take: it had its time.
    if (!this.#callerGone) this.#response.destroy();
  }

  // Interim answers (1xx) are for the gateway, which gives its own. They start no clock anew, and are not without number.
  #swallow(controller: Controller): void {
    this.#interimAnswers += 1;
    if (this.#interimAnswers <= this.#options.limits.interimAnswers) return;
    controller.abort(new UnacceptableAnswerError("app-failed"));
  }

  #awaitHead(ms: number): void {
    this.#stopAwaitingHead();
    this.#headTimer = setTimeout(() => this.#controller?.abort(new UnacceptableAnswerError("app-timeout")), ms);
  }

  #stopAwaitingHead(): void {
    if (this.#headTimer !== null) clearTimeout(this.#headTimer);
    this.#headTimer = null;
  }

  // Node throws with its state half changed: nothing that is sent on such a response would be framed as it says.
  #writes(write: () => void): boolean {
    try {
      write();
      return true;
    } catch {
      this.#options.onProblem("app-failed");
      this.#response.destroy();
      this.#abandon();
      return false;
    }
  }

  #flushHead(): void {
    if (this.#bytesSent || this.#callerGone || this.#response.writableEnded) return;
    this.#response.flushHeaders();
  }

  #finish(): void {
    this.#bytesSent = true;
    this.#body.end();
  }

  // Without length or chunks, the application's death looks like the end of its answer.
  #endIfAppLives(): void {
    if (this.#options.appLives()) this.#finish();
    else this.#response.destroy();
  }

  #abandon(): void {
    this.#callerGone = true;
    this.#stopAwaitingHead();
    this.#controller?.abort(new Error("the caller is gone"));
    this.#controller = null;
  }
}

function latin1(raw: Controller["rawHeaders"]): string[] {
  return Array.isArray(raw) ? raw.map((each) => (typeof each === "string" ? each : each.toString("latin1"))) : [];
}

function isUndelimited(status: number, response: ServerResponse, raw: readonly string[]): boolean {
  if (status === 204 || status === 304 || response.req.method === "HEAD") return false;
  return !raw.some((name, at) => at % 2 === 0 && /^(?:content-length|transfer-encoding)$/i.test(name));
}

function declaredBytes(raw: readonly string[]): number {
  const at = raw.findIndex((name, index) => index % 2 === 0 && /^content-length$/i.test(name));
  return at === -1 ? 0 : Number(raw[at + 1]);
}

const timeouts = new Set(["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"]);

function problemOf(error: Error): ProblemCode {
  if (error instanceof BodyTooLargeError) return "body-too-large";
  if (error instanceof AppUnreachableError) return "app-not-ready";
  if (error instanceof UnacceptableAnswerError) return error.code;
  const code = "code" in error ? String(error.code) : "";
  if (timeouts.has(code)) return "app-timeout";
  return code === "UND_ERR_INVALID_ARG" ? "bad-request" : "app-failed";
}
