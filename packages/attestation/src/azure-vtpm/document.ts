/** The document that Evidence of an Azure confidential VM is: its parts as they stand, written and read. No trust. */
import {
  canonicalJson,
  EncodingError,
  fromHex,
  jsonArray,
  jsonObject,
  jsonString,
  parseCanonicalJson,
  toBase64url,
  toHex,
  utf8,
  type JsonValue,
} from "@blindbox/encoding";
import { EvidenceError } from "../evidence-error.ts";
import { jsonBytes, jsonOrNull, jsonType } from "../json.ts";
import { PCR_COUNT } from "./tpm-quote.ts";

/** The member `type` of every such document. */
export const AZURE_EVIDENCE_TYPE = "blindbox-azure-vtpm/1";

/** What a machine has to hand over, none of it read yet. */
export interface AzureEvidenceParts {
  /** The whole NV index 0x01400001. */
  readonly hclReport: Uint8Array;
  /** SHA-256 values of all 24 PCRs by number, 32 bytes each; `null` for one that is not quoted. */
  readonly pcrs: readonly (Uint8Array | null)[];
  /** TPMS_ATTEST, as it was signed. */
  readonly quote: Uint8Array;
  /** RSASSA-PKCS1-v1_5 over it, as long as the modulus. */
  readonly signature: Uint8Array;
  /** On TDX the quote of the TDREPORT in the HCL report; `null` on SEV-SNP. */
  readonly tdQuote: Uint8Array | null;
}

/** The largest parts take 8 KiB (HCL report) and 16 KiB (TD quote) before their base64url. */
const maxDocumentBytes = 48 * 1024;
const pcrLength = 32;

/**
 * The one form of these parts as Evidence: canonical JSON in UTF-8, with exactly the members `hclReport`, `quote`, `signature`,
 * `tdQuote` (base64url; the last may be `null`), `pcrs` (24 texts of 64 hexadecimal digits, or `null`) and `type`.
 *
 * What the parts say is not looked at: that is for whoever collects them, and for the Verifier.
 *
 * @throws EncodingError where the result would not be read back: another number of PCRs, one of another length, and more than
 * 48 KiB together.
 * @example formatAzureEvidence({ hclReport, pcrs, quote, signature, tdQuote: null })
 */
export function formatAzureEvidence({ hclReport, pcrs, quote, signature, tdQuote }: AzureEvidenceParts): Uint8Array {
  const text = canonicalJson({
    hclReport: toBase64url(hclReport),
    pcrs: pcrs.map((pcr) => pcr && toHex(pcr)),
    quote: toBase64url(quote),
    signature: toBase64url(signature),
    tdQuote: tdQuote && toBase64url(tdQuote),
    type: AZURE_EVIDENCE_TYPE,
  });
  const bytes = utf8(text);
  parseAzureParts(bytes);
  return bytes;
}

/** Reads what {@link formatAzureEvidence} writes. @throws EvidenceError or EncodingError for anything else */
export function parseAzureParts(bytes: Uint8Array): AzureEvidenceParts {
  const value = parseCanonicalJson(bytes, { maxBytes: maxDocumentBytes, maxDepth: 2 });
  const members = jsonObject(value, "evidence", ["hclReport", "pcrs", "quote", "signature", "tdQuote", "type"]);
  jsonType(members.type, "evidence.type", AZURE_EVIDENCE_TYPE);
  return {
    hclReport: jsonBytes(members.hclReport, "evidence.hclReport"),
    pcrs: pcrsIn(members.pcrs),
    quote: jsonBytes(members.quote, "evidence.quote"),
    signature: jsonBytes(members.signature, "evidence.signature"),
    tdQuote: jsonOrNull(members.tdQuote, (quote) => jsonBytes(quote, "evidence.tdQuote")),
  };
}

function pcrsIn(value: JsonValue): readonly (Uint8Array | null)[] {
  const pcrs = jsonArray(value, "evidence.pcrs", PCR_COUNT);
  if (pcrs.length < PCR_COUNT) throw new EncodingError("truncated", "evidence.pcrs", `${PCR_COUNT}`, `${pcrs.length}`);
  return pcrs.map((pcr, at) => jsonOrNull(pcr, (text) => pcrOf(text, `evidence.pcrs[${at}]`)));
}

function pcrOf(value: JsonValue, path: string): Uint8Array {
  const pcr = fromHex(jsonString(value, path), path);
  if (pcr.length === pcrLength) return pcr;
  throw new EvidenceError("bad-length", path, `${pcrLength} bytes`, `${pcr.length} bytes`);
}
