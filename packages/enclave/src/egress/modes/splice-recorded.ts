import type { Socket } from "node:net";
import type { Destination, Ledger } from "../contract.ts";
import type { EgressLimits } from "./limits.ts";
import { recordClosed, recordOpened } from "./records.ts";
import { splice } from "./splice.ts";

export interface Spliced {
  readonly ledger: Ledger;
  readonly destination: Destination;
  readonly app: Socket;
  readonly upstream: Socket;
  readonly limits: Pick<EgressLimits, "idle">;
}

const keepAlive = 60_000;

/** Splices two connections into whose bytes the box does not look, and writes down that they were open and how much crossed. */
export async function spliceRecorded({ ledger, destination, app, upstream, limits }: Spliced): Promise<void> {
  recordOpened(ledger, destination, null);
  for (const socket of [app, upstream]) socket.setNoDelay(true).setKeepAlive(true, keepAlive);
  recordClosed(ledger, destination, null, await splice(app, upstream, limits.idle));
}
