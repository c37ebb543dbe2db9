/** What every kind of TEE has to know how to do. One folder each implements it, with the same file names. */
import type { JsonValue } from "@blindbox/encoding";
import type { AppraisalPolicy } from "./appraisal-policy.ts";
import type { Finding, TeeKind } from "./types.ts";

/**
 * The form of one register of a tuple: that many bytes in lower-case hex, a text that must be equal (`text`), or a whole
 * number in decimal that must be reached (`at-least`).
 */
export type RegisterForm = number | "text" | "at-least";

/** The registers that make one complete tuple of Reference Values, by name. */
export type TupleShape = Readonly<Record<string, RegisterForm>>;

/** One kind of TEE, passed to a Verifier by its caller. */
export interface Tee {
  readonly kind: TeeKind;
  /** The shapes that a tuple of Reference Values may have, each complete in itself. Never empty, and none without members. */
  readonly tuples: readonly TupleShape[];
  /** Which of the registers is shown as the measurement. To be looked at: no register alone says what runs. */
  readonly measurementRegister: string;
  /**
   * The registers that an exception of the policy may be for: none that measures code, says who made it, or holds what a
   * Release was built with. What is not named here must be equal, whatever the policy says.
   */
  readonly excusableRegisters: readonly string[];
  /** Checks that only this kind of TEE makes, and that a result must hold: without one of them it is a refusal. */
  readonly requiredChecks: readonly string[];
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
  /** Lower-case hex by name; what {@link Tee.tuples} name, but for what only the Endorsements say. */
  readonly registers: Readonly<Record<string, string>>;
  /** Every field by name, those of the registers too; integers wider than 53 bits in hex, bytes in lower-case hex. */
  readonly facts: Readonly<Record<string, JsonValue>>;
  readonly tcb: string;
  readonly debug: boolean;
  /** What the Evidence carries where {@link Tee.boundForm} of the Binding belongs. */
  readonly bound: Uint8Array;
  /** Step 2: is the Evidence authentic under a pinned root, with validity and revocation at `now` (seconds)? */
  authenticate(endorsements: JsonValue, policy: AppraisalPolicy, now: number): Promise<Authentication>;
  /** Step 3: is the platform acceptable (TCB floor, debug, product and chip rules)? */
  appraisePlatform(policy: AppraisalPolicy): readonly Finding[];
}

/** What step 2 found out. */
export interface Authentication {
  readonly findings: readonly Finding[];
  /** Registers that only the Endorsements say, for example the feed of an endorsed utility VM. */
  readonly registers: Readonly<Record<string, string>>;
  /** Facts that only the Endorsements say, for example the TCB status. Beside those of the Evidence itself. */
  readonly facts: Readonly<Record<string, JsonValue>>;
}
