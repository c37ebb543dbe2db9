/** One question to the verifying side of `tdx`. Types only. */
import type { AppraisalPolicy } from "../appraisal-policy.ts";
import type { TrustAnchor } from "./anchor.ts";
import type { TdQuote } from "./evidence.ts";

/** A quote, and what it is judged by. */
export interface TdxQuestion {
  readonly quote: TdQuote;
  readonly anchor: TrustAnchor;
  readonly policy: AppraisalPolicy;
  /** Seconds since 1970. */
  readonly now: number;
}
