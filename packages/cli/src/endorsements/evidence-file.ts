/** From a file with Evidence to the machine that Endorsements are fetched for. */
import { createReadStream } from "node:fs";
import { buffer } from "node:stream/consumers";
import { MAX_EVIDENCE_DOCUMENT_BYTES as maxBytes } from "@blindbox/attestation";
import {
  EndorserError,
  sevSnpSubject,
  tdxSubject,
  type AmdProduct,
  type EndorsementSubject,
} from "@blindbox/attestation/endorsers";
import { EncodingError } from "@blindbox/encoding";
import { recognizeEvidence, type RecognizedEvidence } from "../evidence/recognize.ts";
import { onFile } from "../files.ts";
import { CliError } from "../output/failure.ts";

const hint =
  "name an SEV-SNP report, a TD quote, a Nitro document, the HCL report of an Azure machine, or the answer of a box's " +
  "attestation endpoint";

/** Reads a file that the user named, no longer than an Evidence document may be. */
export async function readBytes(path: string, kind: string, advice: string): Promise<Uint8Array> {
  const wanted = { what: path, expected: kind, hint: advice };
  const bytes = await onFile(wanted, () => buffer(createReadStream(path, { end: maxBytes })));
  if (bytes.length <= maxBytes) return new Uint8Array(bytes);
  throw new CliError({ ...wanted, actual: `more than ${maxBytes} bytes` });
}

/** The machine of the Evidence in a file. Throws a `CliError` for what is none, or does not say enough. */
export async function readEvidenceSubject(path: string, product: AmdProduct | null): Promise<EndorsementSubject> {
  const bytes = await readBytes(path, "Evidence", hint);
  try {
    const subject = subjectOf(recognizeEvidence(bytes), product);
    if (subject !== null) return subject;
  } catch (error) {
    throw asFileProblem(path, error);
  }
  throw new CliError({ what: path, expected: "Evidence of a hardware TEE", actual: "something else", hint });
}

function asFileProblem(path: string, error: unknown): unknown {
  if (error instanceof EncodingError) {
    return new CliError({ what: `${path}: ${error.field}`, expected: error.expected, actual: error.actual, hint });
  }
  if (!(error instanceof EndorserError)) return error;
  const advice = error.field === "product" ? "add --product milan, --product genoa or --product turin" : error.hint;
  return new CliError({
    what: `${path}: ${error.field}`,
    expected: error.expected,
    actual: error.actual,
    hint: advice,
  });
}

type Product = AmdProduct | null;

function subjectOf(evidence: RecognizedEvidence | null, product: Product): EndorsementSubject | null {
  switch (evidence?.form) {
    case "sev-snp-report":
      return sevSnpSubject(evidence.bytes, product);
    case "td-quote":
      return tdxSubject(evidence.bytes);
    case "nitro-document":
      return { tee: "nitro" };
    case "azure-hcl":
      return azureSubject(evidence.hclReport, evidence.tdQuote, product);
    case "evidence-document":
      return agreeing(evidence.document.tee, subjectOf(evidence.evidence, product));
    default:
      return null;
  }
}

/** Evidence of another kind than its document says would get Endorsements that no Verifier takes with it. */
function agreeing(tee: string, subject: EndorsementSubject | null): EndorsementSubject | null {
  if (subject === null || subject.tee === tee) return subject;
  throw new EncodingError("bad-encoding", "document.evidence", `Evidence of ${tee}`, `Evidence of ${subject.tee}`);
}

const reportAt = 32;
const reportEnd = reportAt + 1184;
const reportTypeAt = reportEnd + 8;
const reportTypeSnp = 2;
const reportTypeTdx = 4;

/** The hardware below an Azure machine: a report that the HCL report holds, or a quote that comes beside it. */
function azureSubject(hcl: Uint8Array, quote: Uint8Array | null, product: Product): EndorsementSubject {
  const type = hcl[reportTypeAt];
  if (type === reportTypeSnp) {
    return { tee: "azure-vtpm", hardware: sevSnpSubject(hcl.subarray(reportAt, reportEnd), product) };
  }
  if (type !== reportTypeTdx) {
    throw new EncodingError("bad-encoding", "hclReport.reportType", "2 (SNP) or 4 (TDX)", `${type ?? "no byte"}`);
  }
  if (quote !== null) return { tee: "azure-vtpm", hardware: tdxSubject(quote) };
  throw new EncodingError("bad-encoding", "tdQuote", "the TD quote beside the HCL report", "none");
}
