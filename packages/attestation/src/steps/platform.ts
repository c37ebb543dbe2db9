/** Step 3: the platform is acceptable. What that means, each kind of TEE knows itself. */
import type { Appraisal } from "../appraisal.ts";
import { skipped } from "../findings.ts";
import type { Finding } from "../types.ts";

/** TCB floor, debug mode, and the rules for products and chips. */
export function appraisePlatform({ evidence, policy }: Appraisal): readonly Finding[] {
  if (evidence !== null) return evidence.appraisePlatform(policy);
  return [skipped("platform", "debug", "debug off", "There is no readable Evidence.")];
}
