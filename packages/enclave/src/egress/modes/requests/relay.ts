/** One answer on its way from the host to the application. */
import type { ServerResponse } from "node:http";
import type { Dispatcher } from "undici";
import { EgressError, type EgressErrorCode } from "../../errors.ts";
import { AnswerBody } from "../../../answer-body.ts";
import type { EgressLimits } from "../limits.ts";
import { framingOf, headersForApp } from "./headers.ts";
import { sendProblem } from "./problems.ts";

type Controller = Dispatcher.DispatchController;

export interface RelayOptions {
  readonly response: ServerResponse;
  readonly limits: EgressLimits;
  /** Called at most once: the application did not get an answer, or not the whole of it, for the host's sake or its own. */
  readonly onRefusal: (refusal: EgressError) => void;
}

/** An answer that cannot be finished breaks the application's connection: what was cut never looks complete. */
export class Relay implements Dispatcher.DispatchHandler {
  readonly #options: RelayOptions;
  readonly #response: ServerResponse;
  readonly #body: AnswerBody;
  #controller: Controller | null = null;
  #appGone = false;
  #bytesSent = false;
  #interimAnswers = 0;
  #watch: NodeJS.Timeout | null = null;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#response = options.response;
    this.#body = new AnswerBody(options.response, () => this.#controller?.resume());
    this.#response.once("close", () => this.#abandon());
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#appGone) this.#abandon();
    else this.#await("refused-request-timeout", this.#options.limits.bodyPause);
  }

  onBodySent(): void {
    this.#watch?.refresh();
  }

  onRequestSent(): void {
    if (this.#watch !== null) this.#await("refused-upstream-timeout", this.#options.limits.answer);
  }

  onResponseStart(controller: Controller, status: number): void {
    if (this.#appGone) return;
    if (status < 200) return this.#swallow(controller);
    this.#stopWaiting();
    const raw = latin1(controller.rawHeaders);
    const framing = framingOf(this.#response.req.method ?? "", status, raw);
    if (framing === "unknown") return controller.abort(new EgressError("refused-answer"));
    // Without length or chunks only the end of the connection ends the answer, and a network that cuts it cannot be
    // told from the end: the application gets it in the same form, and so with the same doubt.
    if (framing === "close") this.#response.useChunkedEncodingByDefault = false;
    this.#response.sendDate = false;
    if (!this.#writes(() => this.#response.writeHead(status, headersForApp(status, raw)))) return;
    // A head without body bytes behind it must not wait for them: whoever reads an event stream waits for the head.
    process.nextTick(() => this.#flushHead());
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#appGone) return;
    this.#bytesSent = true;
    if (!this.#body.add(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#controller = null;
    if (this.#appGone) return;
    this.#bytesSent = true;
    // Trailers are dropped, as RFC 9110, section 6.5.1, allows.
    this.#body.end();
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#stopWaiting();
    this.#controller = null;
    // Its connection closes before its answers do.
    if (this.#appGone || this.#response.req.socket.destroyed) return;
    const refusal = refusalOf(error);
    this.#options.onRefusal(refusal);
    if (this.#response.headersSent) this.#response.destroy();
    else sendProblem(this.#response, refusal.code);
  }

  // Interim answers (1xx) are for the box, which gives its own. They start no clock anew, and are not without number.
  #swallow(controller: Controller): void {
    this.#interimAnswers += 1;
    if (this.#interimAnswers > this.#options.limits.interimAnswers) controller.abort(new EgressError("refused-answer"));
  }

  #await(verdict: EgressErrorCode, ms: number): void {
    this.#stopWaiting();
    this.#watch = setTimeout(() => this.#controller?.abort(new EgressError(verdict)), ms);
  }

  #stopWaiting(): void {
    if (this.#watch !== null) clearTimeout(this.#watch);
    this.#watch = null;
  }

  // Node throws with its state half changed: nothing that is sent on such a response would be framed as it says.
  #writes(write: () => void): boolean {
    try {
      write();
      return true;
    } catch {
      this.#options.onRefusal(new EgressError("refused-answer"));
      this.#response.destroy();
      this.#abandon();
      return false;
    }
  }

  #flushHead(): void {
    if (!this.#bytesSent && !this.#appGone && !this.#response.writableEnded) this.#response.flushHeaders();
  }

  #abandon(): void {
    this.#appGone = true;
    this.#stopWaiting();
    this.#controller?.abort(new Error("the application is gone"));
    this.#controller = null;
  }
}

function latin1(raw: Controller["rawHeaders"]): string[] {
  return Array.isArray(raw) ? raw.map((each) => (typeof each === "string" ? each : each.toString("latin1"))) : [];
}

const verdictsByCode: Readonly<Record<string, EgressErrorCode>> = {
  UND_ERR_HEADERS_TIMEOUT: "refused-upstream-timeout",
  UND_ERR_BODY_TIMEOUT: "refused-upstream-timeout",
  // The client found a head that it would not write.
  UND_ERR_INVALID_ARG: "refused-request-form",
  UND_ERR_NOT_SUPPORTED: "refused-request-form",
};

/** What a request without a whole answer is refused for. */
export function refusalOf(error: Error): EgressError {
  if (error instanceof EgressError) return error;
  return new EgressError(("code" in error ? verdictsByCode[String(error.code)] : undefined) ?? "refused-answer");
}
