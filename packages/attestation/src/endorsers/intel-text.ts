/** Intel's signed texts, as far as an endorser has to understand them: kind, platform, dates. The text itself is kept exact. */
import { EncodingError, type JsonValue } from "@blindbox/encoding";
import { jsonMembers } from "../json.ts";
import { parseSignedText } from "../tdx/signed-text.ts";
import { datedOf } from "../tdx/tcb-info.ts";
import type { Dated } from "./part.ts";

/** A signed text, read and not believed. */
export interface IntelText {
  readonly members: Readonly<Record<string, JsonValue>>;
  readonly dated: Dated;
}

/** r and s of ECDSA with P-256. */
const signatureLength = 64;

/**
 * Reads `{ "<member>": {…}, "signature": "<hex>" }` as a Verifier does.
 *
 * @throws EncodingError for anything else.
 */
export function readIntelText(text: string, field: string, member: "tcbInfo" | "enclaveIdentity"): IntelText {
  const { signature, meaning } = parseSignedText(text, member, (value) => readMeaning(value, field));
  if (signature.length !== signatureLength) {
    const actual = `${signature.length} bytes`;
    throw new EncodingError("bad-encoding", `${field}.signature`, `${signatureLength} bytes`, actual);
  }
  if (meaning instanceof EncodingError) throw meaning;
  return meaning;
}

function readMeaning(value: JsonValue, field: string): IntelText {
  const members = jsonMembers(value, field);
  const { issueDate, nextUpdate, tcbEvaluationDataNumber } = datedOf(members, field);
  return { members, dated: { name: field, issued: issueDate, expires: nextUpdate, number: tcbEvaluationDataNumber } };
}
