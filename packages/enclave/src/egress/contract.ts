/** What the parts of this room know of each other: types only. */
import type { Socket } from "node:net";
import type { LedgerEntry } from "@blindbox/attestation";
import type { Egress, EgressDecider } from "@blindbox/manifest";

/** Where the application wants to go, as far as a rule allows it. */
export interface Destination {
  /** The normalised name that the virtual address stands for; null where an IPv4 literal was dialled. */
  readonly name: string | null;
  /** The IPv4 literal that was dialled; null where a name was. */
  readonly address: string | null;
  readonly port: number;
  /** Index of the rule in the Manifest's `egress`. */
  readonly rule: number;
  readonly egress: Egress;
}

/** Opens connections of the box's own. */
export interface Dialer {
  /**
   * A connected TCP socket to an address that the box resolved and classified for `destination`.
   *
   * @throws EgressError with the verdict that the ledger is to hold.
   */
  dial(destination: Destination): Promise<Socket>;
}

/** What is written down. Time, sequence and count are added by the ledger, which sums up like entries when there are many. */
export interface Ledger {
  /** One decision. Whoever throws an EgressError leaves it to whoever catches it to write it down. */
  record(entry: LedgerEntry): void;
  /** `sha256:<hex>` */
  head(): string;
  /** The document's text. */
  document(): string;
}

/** What every mode needs to take one connection of the application to its destination, or refuse it. */
export interface ModeParts {
  readonly decider: EgressDecider;
  readonly dialer: Dialer;
  readonly ledger: Ledger;
}

/**
 * Serves one connection of the application, from whose socket nothing was read yet (it is paused), until both ends are
 * closed. Never throws: whatever is refused resets the socket and is in the ledger.
 */
export type ServeMode = (socket: Socket, destination: Destination) => void;
