/** Intel's signed texts, as far as an endorser has to understand them: kind, platform, dates. The text itself is kept exact. */
import { EncodingError, jsonInteger, jsonObject, jsonString, type JsonValue } from "@blindbox/encoding";
import type { Dated } from "./part.ts";

/** A signed text, read and not believed. */
export interface SignedText {
  readonly members: Readonly<Record<string, JsonValue>>;
  readonly dated: Dated;
}

const isoDate = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;
const signatureForm = /^[0-9a-fA-F]{128}$/;

/**
 * Reads `{ "<member>": {…}, "signature": "<hex>" }`.
 *
 * @throws EncodingError for anything else.
 */
export function readSignedText(text: string, field: string, member: "tcbInfo" | "enclaveIdentity"): SignedText {
  const outer = jsonObject(parse(text, field), field, [member, "signature"]);
  if (!signatureForm.test(jsonString(outer.signature, `${field}.signature`))) {
    throw new EncodingError("bad-encoding", `${field}.signature`, "128 hex digits", "another text");
  }
  const members = objectOf(outer[member], `${field}.${member}`);
  const issued = dateOf(members["issueDate"], `${field}.issueDate`);
  const expires = dateOf(members["nextUpdate"], `${field}.nextUpdate`);
  const range = { min: 0, max: 2 ** 31 };
  const number = jsonInteger(members["tcbEvaluationDataNumber"], `${field}.tcbEvaluationDataNumber`, range);
  return { members, dated: { name: field, issued, expires, number } };
}

function parse(text: string, field: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    throw new EncodingError("bad-encoding", field, "JSON", "another text");
  }
}

function objectOf(value: JsonValue, field: string): Readonly<Record<string, JsonValue>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, JsonValue>>;
  }
  throw new EncodingError("bad-encoding", field, "an object", "another value");
}

function dateOf(value: JsonValue | undefined, field: string): number {
  const text = jsonString(value, field);
  const milliseconds = isoDate.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(milliseconds)) return milliseconds / 1000;
  throw new EncodingError("bad-encoding", field, "a date and time in UTC", "another text");
}
