/** One appraisal under way: what the Verifier was made with, what it was asked, and what could be read. Types only. */
import type { AppraisalPolicy } from "./appraisal-policy.ts";
import type { Connection } from "./input.ts";
import type { ParsedEvidence, Tee } from "./tee.ts";
import type { EvidenceDocument, Finding, ReferenceValues, Statement, TeeKind } from "./types.ts";

/** What a Verifier was made with. */
export interface Settings {
  readonly tees: ReadonlyMap<TeeKind, Tee>;
  readonly referenceValues: readonly ReferenceValues[];
  readonly policy: AppraisalPolicy;
}

/** What steps 2 to 9 look at. `null` is what could not be read; each step says that it skipped it. */
export interface Appraisal extends Settings {
  readonly connection: Connection;
  /** Seconds since 1970, the same for every step. */
  readonly now: number;
  readonly document: EvidenceDocument | null;
  readonly statement: Statement | null;
  /** The document's kind of TEE, where this Verifier accepts that. */
  readonly tee: Tee | null;
  readonly evidence: ParsedEvidence | null;
  /** The findings of step 1. */
  readonly parsing: readonly Finding[];
}
