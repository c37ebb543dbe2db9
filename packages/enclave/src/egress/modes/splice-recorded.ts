import type { Socket } from "node:net";
import type { Destination, Ledger } from "../contract.ts";
import type { EgressLimits } from "./limits.ts";
import { recordClosed, recordOpened } from "./records.ts";
import { splice, type SpliceCounts } from "../../splice.ts";

/** Bytes that crossed so far. */
export type Crossed = { -readonly [Direction in keyof SpliceCounts]: SpliceCounts[Direction] };

export interface Spliced {
  readonly ledger: Ledger;
  readonly destination: Destination;
  readonly app: Socket;
  readonly upstream: Socket;
  readonly limits: Pick<EgressLimits, "idle">;
  /** Carries what comes before the splice, and counts it; what it throws closes the connection. Left out: nothing does. */
  readonly begin?: (crossed: Crossed) => Promise<void>;
}

const keepAlive = 60_000;

/**
 * Splices two connections into whose bytes the box does not look, and writes down that they were open and how much crossed.
 *
 * @throws what `begin` throws, after that was written down.
 */
export async function spliceRecorded({ ledger, destination, app, upstream, limits, begin }: Spliced): Promise<void> {
  recordOpened(ledger, destination, null);
  for (const socket of [app, upstream]) socket.setNoDelay(true).setKeepAlive(true, keepAlive);
  const crossed: Crossed = { sent: 0, received: 0 };
  try {
    await begin?.(crossed);
    const { sent, received } = await splice(app, upstream, limits.idle);
    crossed.sent += sent;
    crossed.received += received;
  } finally {
    upstream.destroy();
    recordClosed(ledger, destination, null, crossed);
  }
}
