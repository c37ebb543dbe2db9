import type { AttestationResult } from "@blindbox/attestation";
import { pinnedTls } from "#pinned-tls";
import { refusalOf } from "./appraisal/acceptance.ts";
import { createAppraiser } from "./appraisal/appraiser.ts";
import type { SessionOptions } from "./options/options.ts";
import { readOrigin } from "./options/origin.ts";
import { readSessionOptions } from "./options/read-options.ts";
import { type AddCredentials, createCredentials } from "./request/credentials.ts";
import { readFetchCall, type SessionFetch } from "./request/fetch-input.ts";
import { type CheckedInit, readInit, type SessionRequestInit } from "./request/init.ts";
import { readMethod } from "./request/method.ts";
import { targetOn } from "./request/target.ts";
import { untilAborted } from "./request/until-aborted.ts";
import type { Transport } from "./transport/transport.ts";

const initMembers = ["headers", "body", "signal"];

/**
 * Requests to one box, each over a connection that was attested before the first byte of a request went over it
 * (DESIGN section 5, "Sessions").
 *
 * Every new connection does its own exchange, with its own nonce, bound to its own TLS exporter; there is no resumption. A
 * redirect is returned, never followed. A request that was not sent when its connection closed goes over a new, attested
 * one; a request that was sent is never repeated. Answers are asked for uncompressed and are not decompressed. A response
 * whose body is not wanted should be given up with `response.body.cancel()`, since it occupies its connection.
 *
 * Methods reject with a TypeError for a mistake of the caller's, an AttestationError where a connection was refused, a
 * {@link ConnectionError} (of which {@link TimeoutError} is one) where there is none or it ended, and the signal's reason
 * after an abort.
 *
 * @example
 * const session = await SecureSession.connect("https://box.example:8443", {
 *   release, tees: [simulated({ root })], require: { manifest }, credentials: { apiKey },
 * });
 * const response = await session.post("/whisper/transcribe", { body: form });
 */
export class SecureSession {
  /** The session as a `fetch`, for libraries that take one; it needs no `this`. */
  readonly fetch: SessionFetch;
  readonly #origin: URL;
  readonly #addCredentials: AddCredentials;
  readonly #transport: Transport;
  #closed: Promise<void> | null = null;

  private constructor(origin: URL, addCredentials: AddCredentials, transport: Transport) {
    this.#origin = origin;
    this.#addCredentials = addCredentials;
    this.#transport = transport;
    this.fetch = (input, init) => this.#fetch(input, init);
  }

  /**
   * Opens and attests the first connection to the box at `url`, an `https` origin.
   *
   * Rejects with a TypeError for a wrong option, an AttestationError where the box is refused (its class is chosen by the
   * first step that failed, `findings` holds all), or a {@link ConnectionError}.
   */
  static async connect(url: string | URL, options: SessionOptions): Promise<SecureSession> {
    const origin = readOrigin(url);
    const { credentials, ...checked } = readSessionOptions(options);
    const appraiser = await createAppraiser(checked);
    const refusal = (result: AttestationResult): Error | null => refusalOf(result, checked);
    const { certificate } = credentials;
    const transport = await pinnedTls.openTransport({ ...checked, certificate, origin, appraiser, refusal });
    return new SecureSession(origin, createCredentials(credentials, checked.now), transport);
  }

  /** The result of the newest connection that was accepted. */
  get attestation(): AttestationResult {
    return this.#transport.attestation();
  }

  get(path: string | URL, init?: SessionRequestInit): Promise<Response> {
    return this.request("GET", path, init);
  }

  post(path: string | URL, init?: SessionRequestInit): Promise<Response> {
    return this.request("POST", path, init);
  }

  put(path: string | URL, init?: SessionRequestInit): Promise<Response> {
    return this.request("PUT", path, init);
  }

  patch(path: string | URL, init?: SessionRequestInit): Promise<Response> {
    return this.request("PATCH", path, init);
  }

  delete(path: string | URL, init?: SessionRequestInit): Promise<Response> {
    return this.request("DELETE", path, init);
  }

  head(path: string | URL, init?: SessionRequestInit): Promise<Response> {
    return this.request("HEAD", path, init);
  }

  options(path: string | URL, init?: SessionRequestInit): Promise<Response> {
    return this.request("OPTIONS", path, init);
  }

  /** Sends one request. `path` starts with `/`, or is a URL on the session's own origin. */
  async request(method: string, path: string | URL, init?: SessionRequestInit): Promise<Response> {
    const name = readMethod(method);
    return this.#send(name, path, readInit(init, name, initMembers));
  }

  /** Waits for the requests in flight (and for their bodies to be read), then ends all connections. */
  close(): Promise<void> {
    this.#closed ??= this.#transport.close();
    return this.#closed;
  }

  async #fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const call = readFetchCall(input, init);
    return this.#send(call.method, call.url, call);
  }

  async #send(method: string, path: string | URL, init: CheckedInit): Promise<Response> {
    this.#demandOpen();
    const { headers, body, signal } = init;
    const target = targetOn(this.#origin, path);
    if (signal?.aborted === true) throw signal.reason;
    await untilAborted(this.#addCredentials(headers), signal);
    // It may have been closed while a token was fetched.
    this.#demandOpen();
    return this.#transport.send({ method, target, headers, body, signal });
  }

  #demandOpen(): void {
    if (this.#closed !== null) throw new TypeError("the session is closed");
  }
}
