import { setImmediate } from "node:timers/promises";
import type { SecureContext, TLSSocket } from "node:tls";
import type { AttestationResult } from "@blindbox/attestation";
import { ConnectionError } from "../../connection-error.ts";
import type { TransportOptions } from "../transport.ts";
import { handOver, type JudgedSocket, openJudged } from "./node-attested-socket.ts";
import { createTlsContext } from "./node-tls.ts";

/** A connection that may carry requests until `expired`. */
export interface AttestedConnection {
  readonly socket: TLSSocket;
  /** True once its Evidence is older than `maxEvidenceAge`, or younger than nothing: a clock that was set back. */
  expired(): boolean;
}

/** Where a session's connections come from: every one of them attested, and good enough. */
export class AttestedConnections {
  readonly #options: TransportOptions;
  readonly #context: SecureContext;
  #parked: JudgedSocket | null = null;
  #newest: AttestationResult;

  private constructor(options: TransportOptions, context: SecureContext, first: JudgedSocket) {
    this.#options = options;
    this.#context = context;
    this.#newest = first.result;
    this.#parked = first;
    // A session that is not used must not keep the program running; undici treats its own idle sockets alike.
    first.socket.unref();
  }

  /** Opens the first connection and keeps it for the first request. Rejects as {@link take} does. */
  static async open(options: TransportOptions): Promise<AttestedConnections> {
    const context = createTlsContext(options.certificate);
    return new AttestedConnections(options, context, await openAccepted(options, context));
  }

  /** The result of the newest connection. */
  get newest(): AttestationResult {
    return this.#newest;
  }

  /** A connection that is free for requests. Rejects with the refusal, or a ConnectionError. */
  async take(): Promise<AttestedConnection> {
    const parked = await this.#takeParked();
    if (parked !== null) return parked;
    const judged = await openAccepted(this.#options, this.#context);
    this.#newest = judged.result;
    const connection = this.#connectionOf(judged);
    if (connection !== null) return connection;
    throw new ConnectionError("closed", "attestation", "the connection ended before it could be used");
  }

  async #takeParked(): Promise<AttestedConnection | null> {
    const parked = this.#parked;
    this.#parked = null;
    if (parked === null) return null;
    parked.socket.ref();
    // Lets what has already arrived (an end, bytes that nobody asked for) be seen before a request is risked.
    await setImmediate();
    const connection = this.#connectionOf(parked);
    if (connection === null || !connection.expired()) return connection;
    connection.socket.destroy();
    return null;
  }

  #connectionOf({ socket, attestedAt }: JudgedSocket): AttestedConnection | null {
    const open = handOver(socket);
    if (open === null) return null;
    const { now, maxEvidenceAge } = this.#options;
    const expired = (): boolean => {
      const age = now().getTime() - attestedAt;
      return !(age >= 0 && age < maxEvidenceAge * 1000);
    };
    return { socket: open, expired };
  }

  /** Ends the connection that no request took. */
  close(): void {
    this.#parked?.socket.destroy();
    this.#parked = null;
  }
}

async function openAccepted(options: TransportOptions, context: SecureContext): Promise<JudgedSocket> {
  const judged = await openJudged(options, context);
  const refusal = options.refusal(judged.result);
  if (refusal === null) return judged;
  judged.socket.destroy();
  throw refusal;
}
