/** Which form of Evidence some bytes have. By their beginning alone: whether they are sound is for their parser to say. */
import { type EvidenceDocument, parseEvidenceDocument } from "@blindbox/attestation";
import { fromBase64url } from "@blindbox/encoding";

/** Evidence in one of the forms that are found in files. */
export type RecognizedEvidence =
  /** As the hardware gives it. */
  | { readonly form: "sev-snp-report" | "td-quote" | "nitro-document"; readonly bytes: Uint8Array }
  /** The HCL report of an Azure machine; on TDX there is a quote beside it. */
  | { readonly form: "azure-hcl"; readonly hclReport: Uint8Array; readonly tdQuote: Uint8Array | null }
  /** What a box answered; `evidence` is what is recognised inside, `null` where nothing is. */
  | {
      readonly form: "evidence-document";
      readonly document: EvidenceDocument;
      readonly evidence: RecognizedEvidence | null;
    };

/**
 * Tells the form; `null` for none of them.
 *
 * @throws EncodingError for an Evidence document, or base64url in JSON, that is not well-formed.
 */
export function recognizeEvidence(bytes: Uint8Array): RecognizedEvidence | null {
  if (startsWith(bytes, [0x7b])) return recognizeJson(bytes);
  if (isNitro(bytes)) return { form: "nitro-document", bytes };
  if (startsWith(bytes, hclMagic)) return { form: "azure-hcl", hclReport: bytes, tdQuote: null };
  if (isTdQuote(bytes)) return { form: "td-quote", bytes };
  return isSnpReport(bytes) ? { form: "sev-snp-report", bytes } : null;
}

const hclMagic = [...new TextEncoder().encode("HCLA")];

function startsWith(bytes: Uint8Array, prefix: readonly number[]): boolean {
  return prefix.every((byte, at) => bytes[at] === byte);
}

/** A COSE_Sign1 of ES384, with its tag or without. */
function isNitro(bytes: Uint8Array): boolean {
  const untagged = startsWith(bytes, [0xd2]) ? bytes.subarray(1) : bytes;
  return startsWith(untagged, [0x84, 0x44, 0xa1, 0x01, 0x38, 0x22]);
}

/** Version 4 or 5 with the TEE type of TDX. */
function isTdQuote(bytes: Uint8Array): boolean {
  const isVersion = startsWith(bytes, [4, 0]) || startsWith(bytes, [5, 0]);
  return isVersion && startsWith(bytes.subarray(4), [0x81, 0, 0, 0]);
}

const snpReportBytes = 1184;

/** A report says nothing of its kind: it has one length, and a small number as its version. */
function isSnpReport(bytes: Uint8Array): boolean {
  return bytes.length === snpReportBytes && startsWith(bytes.subarray(1), [0, 0, 0]);
}

function recognizeJson(bytes: Uint8Array): RecognizedEvidence | null {
  const members = objectOf(parseJson(bytes));
  if (members === null) return null;
  if (members["type"] === "blindbox-evidence/1") {
    const document = parseEvidenceDocument(withoutLineFeed(bytes));
    return { form: "evidence-document", document, evidence: recognizeEvidence(document.evidence) };
  }
  return recognizeAzure(objectOf(members["evidence"]) ?? members);
}

/** What tools for Azure write: both parts in base64url, padded or not. */
function recognizeAzure(members: Readonly<Record<string, unknown>>): RecognizedEvidence | null {
  const { hcl_report: report, td_quote: quote } = members;
  if (typeof report !== "string") return null;
  const tdQuote = typeof quote === "string" ? fromPadded(quote, "td_quote") : null;
  return { form: "azure-hcl", hclReport: fromPadded(report, "hcl_report"), tdQuote };
}

function fromPadded(text: string, field: string): Uint8Array {
  return fromBase64url(text.replace(/={1,2}$/, ""), field);
}

/** One line feed behind a document is a shell's or an editor's, and no part of it. */
function withoutLineFeed(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
  } catch {
    return null;
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | null {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, unknown>>) : null;
}
