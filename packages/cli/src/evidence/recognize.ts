/** Which form of Evidence some bytes have. By their beginning alone: whether they are sound is for their parser to say. */
import { type EvidenceDocument, parseEvidenceDocument } from "@blindbox/attestation";
import { fromBase64url } from "@blindbox/encoding";
import { recognizeAzureJson, type AzureForm } from "./recognize-azure.ts";
import { isObject, parseJson, withoutLineFeed } from "./json-text.ts";

/** Evidence in one of the forms that are found in files. */
export type RecognizedEvidence =
  /** As the hardware, or the simulator, gives it; and parts that come beside it. */
  | {
      readonly form:
        | "sev-snp-report"
        | "td-quote"
        | "nitro-document"
        | "simulated-report"
        | "tpm-quote"
        | "certificate";
      readonly bytes: Uint8Array;
    }
  | AzureForm
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
  if (startsWith(bytes, hclMagic)) return { form: "azure-hcl", hclReport: bytes, tdQuote: null, quote: null, pcrs: [] };
  const form = binaryForms.find(([, matches]) => matches(bytes))?.[0];
  return form === undefined ? null : { form, bytes };
}

function ascii(text: string): readonly number[] {
  return [...new TextEncoder().encode(text)];
}

const hclMagic = ascii("HCLA");

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
const snpAlgorithmAt = 0x34;

/** A report says nothing of its kind: it has one length or, where it was cut, a small version and one algorithm. */
function isSnpReport(bytes: Uint8Array): boolean {
  if (!startsWith(bytes.subarray(1), [0, 0, 0])) return false;
  return bytes.length === snpReportBytes || startsWith(bytes.subarray(snpAlgorithmAt), [1, 0, 0, 0]);
}

/** A SEQUENCE that holds a SEQUENCE with a version of its own, as every certificate of version 3 begins. */
function isCertificate(bytes: Uint8Array): boolean {
  const inner = bytes.subarray(4);
  return (
    startsWith(bytes, [0x30, 0x82]) && startsWith(inner, [0x30]) && startsWith(inner.subarray(4), [0xa0, 3, 2, 1, 2])
  );
}

const binaryForms: readonly (readonly [
  Exclude<RecognizedEvidence["form"], "azure-hcl" | "evidence-document">,
  (bytes: Uint8Array) => boolean,
])[] = [
  ["simulated-report", (bytes) => startsWith(bytes, ascii("BBSIM"))],
  ["tpm-quote", (bytes) => startsWith(bytes, [0xff, 0x54, 0x43, 0x47, 0x80, 0x18])],
  ["nitro-document", isNitro],
  ["td-quote", isTdQuote],
  ["sev-snp-report", isSnpReport],
  ["certificate", isCertificate],
];

function recognizeJson(bytes: Uint8Array): RecognizedEvidence | null {
  const members = parseJson(bytes);
  if (!isObject(members)) return null;
  if (members["type"] === "blindbox-evidence/1") return recognizeDocument(withoutLineFeed(bytes));
  return recognizeAzureJson(members, fromPadded);
}

function recognizeDocument(bytes: Uint8Array): RecognizedEvidence {
  const document = parseEvidenceDocument(bytes);
  return { form: "evidence-document", document, evidence: recognizeEvidence(document.evidence) };
}

function fromPadded(text: string, field: string): Uint8Array {
  return fromBase64url(text.replace(/={1,2}$/, ""), field);
}
