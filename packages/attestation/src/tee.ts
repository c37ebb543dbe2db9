/** What every kind of TEE has to know how to do. One folder each implements it, with the same file names. */
import type { JsonValue } from "@blindbox/encoding";
import type { AppraisalPolicy } from "./appraisal-policy.ts";
import type { Finding, TeeKind } from "./types.ts";

/** One kind of TEE, passed to a Verifier by its caller. */
export interface Tee {
  readonly kind: TeeKind;
  /** The registers that make one complete tuple of Reference Values: their names, and the length of each in bytes. */
  readonly registers: Readonly<Record<string, number>>;
  /** Which of the registers measures the code, for people to look at. */
  readonly measurementRegister: string;
  /**
   * Reads Evidence: bytes to a typed record, no trust.
   *
   * @throws EncodingError for whatever is malformed.
   */
  parseEvidence(bytes: Uint8Array): ParsedEvidence;
  /** The form in which this TEE carries a Binding of 64 bytes: the 64 bytes, or a digest of them. */
  boundForm(binding: Uint8Array): Promise<Uint8Array>;
}

/** Evidence that has been read and not been believed yet. */
export interface ParsedEvidence {
  /** Lower-case hex by name; the names of {@link Tee.registers}, each there. */
  readonly registers: Readonly<Record<string, string>>;
  readonly tcb: string;
  readonly debug: boolean;
  /** What the Evidence carries where {@link Tee.boundForm} of the Binding belongs. */
  readonly bound: Uint8Array;
  /** Step 2: is the Evidence authentic under a pinned root, with validity and revocation at `now` (seconds)? */
  authenticate(endorsements: JsonValue, policy: AppraisalPolicy, now: number): Promise<readonly Finding[]>;
  /** Step 3: is the platform acceptable (TCB floor, debug, product and chip rules)? */
  appraisePlatform(policy: AppraisalPolicy): readonly Finding[];
}
