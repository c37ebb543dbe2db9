/** Evidence as files have it: raw, or as text that stands for it. */
import { jsonWithin } from "./json-text.ts";
import { recognizeEvidence, type RecognizedEvidence } from "./recognize.ts";
import { readingsOf, type TextEncoding } from "./text-encodings.ts";

/** What some bytes are, and how they had to be read for that. */
export interface EncodedEvidence {
  readonly encoding: TextEncoding | "bytes" | "JSON";
  readonly evidence: RecognizedEvidence;
}

/** Tells the form, in whichever encoding; `null` for none of them. Throws like {@link recognizeEvidence}. */
export function recognizeEncoded(given: Uint8Array): EncodedEvidence | null {
  const bytes = jsonWithin(given);
  const raw = recognizeEvidence(bytes);
  if (raw !== null) return { encoding: bytes[0] === 0x7b ? "JSON" : "bytes", evidence: raw };
  for (const { encoding, bytes: decoded } of readingsOf(bytes)) {
    const evidence = recognizeEvidence(decoded);
    if (evidence !== null) return { encoding, evidence };
  }
  return null;
}
