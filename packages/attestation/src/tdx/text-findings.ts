/** Intel's signed texts: authentic over their exact bytes, of the right kind, current, and recent enough. */
import { EncodingError } from "@blindbox/encoding";
import type { FailureCode } from "../failure-codes.ts";
import { compared, malformed } from "../findings.ts";
import type { Finding } from "../types.ts";
import { ecdsaP256 } from "../x509/index.ts";
import { isoTime } from "../x509/time.ts";
import type { IssuerChain } from "./collateral.ts";
import type { TextPart } from "./issuer-chains.ts";
import type { TdxQuestion } from "./question.ts";
import type { SignedText } from "./signed-text.ts";
import type { Dated } from "./tcb-info.ts";

interface TextCodes {
  readonly badSignature: FailureCode;
  readonly expired: FailureCode;
  readonly notYetValid: FailureCode;
}

const codes: Readonly<Record<TextPart, TextCodes>> = {
  tcbInfo: {
    badSignature: "tcb-info-bad-signature",
    expired: "tcb-info-expired",
    notYetValid: "tcb-info-not-yet-valid",
  },
  qeIdentity: {
    badSignature: "qe-identity-bad-signature",
    expired: "qe-identity-expired",
    notYetValid: "qe-identity-not-yet-valid",
  },
};

const refresh = "The box has to fetch its Endorsements anew.";

/** Whether the signer of its chain signed the text; no Finding where one of the two did not come. */
export async function textSignature(
  { anchor }: TdxQuestion,
  part: TextPart,
  text: SignedText<unknown> | null,
  chain: IssuerChain | null,
): Promise<readonly Finding[]> {
  if (text === null || chain === null) return [];
  const holds = await anchor.verifyRawSignature(ecdsaP256, chain.signer.key, text.signature, text.signed);
  const finding = compared({
    step: "authenticate",
    check: "collateral-signature",
    subject: part,
    code: codes[part].badSignature,
    holds,
    expected: `${part} signed by the certificate beside it`,
    actual: holds ? "signed by it" : "not signed by it",
    passed: "Intel said exactly this.",
    failed: "The text was changed, or somebody else wrote it.",
    hint: refresh,
  });
  return [finding];
}

/** Kind, dates, age and evaluation number of a text. */
export function meaningFindings(
  question: TdxQuestion,
  part: TextPart,
  text: SignedText<Dated> | null,
): readonly Finding[] {
  if (text === null) return [];
  const { meaning } = text;
  const failed = "This text of Intel's is not one that is understood here.";
  if (meaning instanceof EncodingError) {
    return [{ ...malformed("authenticate", "collateral-kind", meaning, failed), subject: part }];
  }
  return [kind(part), validity(question, part, meaning), age(question, part, meaning), number(question, part, meaning)];
}

function kind(part: TextPart): Finding {
  const expected = part === "tcbInfo" ? "TCB info of TDX, version 3" : "identity of the TD quoting enclave, version 2";
  return compared({
    step: "authenticate",
    check: "collateral-kind",
    subject: part,
    holds: true,
    expected,
    actual: expected,
    passed: "Intel's text is of the kind that is due.",
    failed: "",
  });
}

function validity({ now }: TdxQuestion, part: TextPart, { issueDate, nextUpdate }: Dated): Finding {
  return compared({
    step: "authenticate",
    check: "collateral-validity",
    subject: part,
    code: now < issueDate ? codes[part].notYetValid : codes[part].expired,
    holds: issueDate <= now && now <= nextUpdate,
    expected: `${part} that is current at ${isoTime(now)}`,
    actual: `${isoTime(issueDate)} to ${isoTime(nextUpdate)}`,
    passed: "What Intel says is what it says now.",
    failed: "Intel may say something else by now.",
    hint: refresh,
  });
}

function age({ now, policy }: TdxQuestion, part: TextPart, { issueDate }: Dated): Finding {
  const maxAge = policy.maxEndorsementAge[part];
  return compared({
    step: "authenticate",
    check: "endorsement-age",
    subject: part,
    code: "endorsement-too-old",
    holds: now - issueDate <= maxAge,
    expected: `${part} of at most ${maxAge} s`,
    actual: `${now - issueDate} s`,
    passed: "What Intel says is as recent as the policy demands.",
    failed: "What Intel says is older than the policy allows.",
    hint: refresh,
  });
}

function number({ policy }: TdxQuestion, part: TextPart, { tcbEvaluationDataNumber }: Dated): Finding {
  const least = policy.tdx.minTcbEvaluationDataNumber;
  return compared({
    step: "authenticate",
    check: "tcb-evaluation-number",
    subject: part,
    code: "eval-number-too-low",
    holds: tcbEvaluationDataNumber >= least,
    expected: `${part} of evaluation number ${least} or higher`,
    actual: String(tcbEvaluationDataNumber),
    passed: "The platform is judged by a list that is recent enough.",
    failed: "The platform is judged by a list that the policy calls superseded.",
    hint: refresh,
  });
}
