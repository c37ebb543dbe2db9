/**
 * The one request that the box makes for itself: issuers' keys, for tokens of callers. It goes the way of the application's
 * requests, with no right that these have not: the same rules, the same resolver and judgement of addresses, the same TLS,
 * the same ledger.
 */
import { keysLocation } from "@blindbox/manifest";
import type { Destination, Ledger, ModeParts } from "./contract.ts";
import { EgressError, type EgressErrorCode } from "./errors.ts";
import { egressLimits, type EgressLimits } from "./modes/limits.ts";
import { recordKeysRequested, recordRefusal } from "./modes/records.ts";
import { refusalOf } from "./modes/requests/relay.ts";
import { verdictByReason } from "./modes/requests/server.ts";
import { createUpstream, type Open, type Upstream } from "./modes/requests/upstream.ts";
import { openVerified } from "./modes/verified.ts";

/** Times in milliseconds, sizes in bytes. */
export interface KeyReaderLimits {
  /** From the wish to the last byte of the answer, resolving and TLS included. */
  readonly deadline: number;
  /** Of one JWK set: the largest of common issuers have some 20 KiB, certificates included. */
  readonly bytes: number;
  /** At once; one more is refused. Each waits for its host, which nobody hurries. */
  readonly atOnce: number;
}

export const keyReaderLimits: KeyReaderLimits = Object.freeze({ deadline: 10_000, bytes: 65_536, atOnce: 16 });

/** Reads JWK sets over the network. */
export interface KeyReader {
  /** The bytes of a set; rejects with an EgressError for whatever is not the whole answer 200 of the verified host. */
  read(url: string): Promise<Uint8Array>;
  /** Breaks off what is under way. */
  close(): void;
}

/** Asks nothing before the first {@link KeyReader.read}. */
export function createKeyReader(parts: ModeParts, limits: KeyReaderLimits = keyReaderLimits): KeyReader {
  const open = openVerified(parts, egressLimits);
  const running = new Set<Upstream>();
  return {
    async read(url) {
      const asked = locate(parts, url);
      if (running.size >= limits.atOnce) throw refused(parts.ledger, asked.destination, "refused-connection-limit");
      recordKeysRequested(parts.ledger, asked.destination);
      const upstream = upstreamTo(asked.destination, { parts, open, limits });
      running.add(upstream);
      try {
        return await readSet(upstream, asked, limits);
      } catch (error) {
        const { code, peer } = refusalFor(error);
        throw refused(parts.ledger, asked.destination, code, peer ?? upstream.peer());
      } finally {
        upstream.close();
        running.delete(upstream);
      }
    },
    close: () => running.forEach((upstream) => upstream.close()),
  };
}

/** A request as the rules allow it. */
interface Asked {
  readonly destination: Destination;
  readonly target: string;
  /** The header `Host`. */
  readonly host: string;
}

/**
 * A Manifest is valid only where its rules allow the URLs that it names, so that no box comes to a refusal here. It is asked
 * all the same: what leaves the box is what the decider allows, whoever wants it.
 */
function locate({ decider, ledger }: ModeParts, url: string): Asked {
  const location = keysLocation(url);
  if (location === null) throw refused(ledger, null, "refused-request-target");
  const { name, port, target } = location;
  const connection = decider.connection({ name, address: null, port });
  if (!connection.allowed) {
    throw refused(ledger, null, connection.reason === "host-not-allowed" ? "refused-name" : "refused-port");
  }
  const destination: Destination = { name, address: null, port, rule: connection.rule, egress: connection.egress };
  // Whoever is on the way could answer in every other mode.
  if (connection.egress.mode !== "verified") throw refused(ledger, destination, "refused-no-tls");
  const request = decider.request({ name, port }, { method: "GET", target });
  if (!request.allowed) throw refused(ledger, destination, verdictByReason[request.reason]);
  const host = port === 443 ? name : `${name}:${port}`;
  return { destination: { ...destination, rule: request.rule }, target, host };
}

/** Writes the refusal down; to be thrown. */
function refused(
  ledger: Ledger,
  destination: Destination | null,
  verdict: EgressErrorCode,
  peer: string | null = null,
): EgressError {
  if (destination !== null) recordRefusal(ledger, destination, verdict, peer);
  else ledger.record({ verdict, rule: null, host: null, port: null, mode: null, sent: 0, received: 0, peer });
  return new EgressError(verdict, peer);
}

interface Way {
  readonly parts: ModeParts;
  readonly open: Open;
  readonly limits: KeyReaderLimits;
}

function upstreamTo(destination: Destination, { parts, open, limits: { deadline } }: Way): Upstream {
  const limits: EgressLimits = { ...egressLimits, answer: deadline, answerPause: deadline };
  return createUpstream({ destination, open, ledger: parts.ledger, limits });
}

/** Nothing of a caller is in the request. A redirect is not followed: it is no answer 200. */
async function readSet({ client }: Upstream, { target, host }: Asked, limits: KeyReaderLimits): Promise<Uint8Array> {
  const { statusCode, body } = await client.request({
    method: "GET",
    path: target,
    headers: { host, accept: "application/jwk-set+json, application/json", connection: "close" },
    signal: AbortSignal.timeout(limits.deadline),
  });
  // Broken off below where it is not read to its end; no listener would hear of it then.
  body.on("error", () => {});
  if (statusCode !== 200) throw new EgressError("refused-answer");
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > limits.bytes) throw new EgressError("refused-answer");
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function refusalFor(error: unknown): EgressError {
  if (error instanceof DOMException && error.name === "TimeoutError")
    return new EgressError("refused-upstream-timeout");
  return error instanceof Error ? refusalOf(error) : new EgressError("refused-fault");
}
