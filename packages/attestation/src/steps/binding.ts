/** Step 5: the Evidence carries the hash of this very Statement. */
import { equalBytes, toHex } from "@blindbox/encoding";
import type { Appraisal } from "../appraisal.ts";
import { bindingOf } from "../binding.ts";
import { compared, skipped } from "../findings.ts";
import type { Finding } from "../types.ts";

/** Compares what the TEE signed with the Binding of the Statement's exact text. */
export async function compareBinding({ document, tee, evidence }: Appraisal): Promise<readonly Finding[]> {
  if (document === null || tee === null || evidence === null) {
    return [skipped("binding", "statement-binding", "the hash of the Statement", "There is no readable Evidence.")];
  }
  const expected = await tee.boundForm(await bindingOf(document.statement));
  const comparison = compared({
    step: "binding",
    check: "statement-binding",
    holds: equalBytes(expected, evidence.bound),
    expected: toHex(expected),
    actual: toHex(evidence.bound),
    passed: "The TEE signed the hash of this Statement.",
    failed: "The TEE signed the hash of another Statement, so this one is anybody's.",
  });
  return [comparison];
}
