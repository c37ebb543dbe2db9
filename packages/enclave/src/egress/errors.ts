import type { LedgerRefusal } from "@blindbox/attestation";

/** Why the box refuses a way out: the verdict that the ledger is to hold. */
export type EgressErrorCode = LedgerRefusal;

/** A refusal on the way out. Its message is the code alone: nothing of the application or of the network is repeated. */
export class EgressError extends Error {
  override readonly name = "EgressError";
  readonly code: EgressErrorCode;
  /** `sha256:<hex>` of the leaf certificate that the other end showed; null where it showed none. */
  readonly peer: string | null;

  constructor(code: EgressErrorCode, peer: string | null = null) {
    super(code);
    this.code = code;
    this.peer = peer;
  }
}
