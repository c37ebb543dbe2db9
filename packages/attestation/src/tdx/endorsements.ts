/** Verify: is the quote authentic under Intel's root, and what does Intel say of the platform at `now`? */
import type { JsonValue } from "@blindbox/encoding";
import type { Authentication } from "../tee.ts";
import { collateralFindings } from "./collateral-findings.ts";
import { originFindings } from "./origin.ts";
import type { TdxQuestion } from "./question.ts";
import { appraiseTcb } from "./tcb-findings.ts";

/** All that there is to say of the quote's origin and of its platform's TCB. */
export async function authenticateQuote(question: TdxQuestion, endorsements: JsonValue): Promise<Authentication> {
  const [origin, collateral] = await Promise.all([
    originFindings(question),
    collateralFindings(question, endorsements),
  ]);
  const tcb = appraiseTcb(question, collateral.tcbInfo, collateral.qeIdentity);
  return { findings: [...origin, ...collateral.findings, ...tcb.findings], registers: {}, facts: tcb.facts };
}
