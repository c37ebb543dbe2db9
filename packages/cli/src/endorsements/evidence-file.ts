/** From a file with Evidence to the machine that Endorsements are fetched for. */
import { parseHclReport, type TeeKind } from "@blindbox/attestation";
import {
  EndorserError,
  sevSnpSubject,
  tdxSubject,
  type AmdProduct,
  type EndorsementSubject,
} from "@blindbox/attestation/endorsers";
import { EncodingError } from "@blindbox/encoding";
import type { AzureForm } from "../evidence/recognize-azure.ts";
import { recognizeEncoded } from "../evidence/recognize-encoded.ts";
import type { RecognizedEvidence } from "../evidence/recognize.ts";
import { readEvidenceFile } from "../evidence/source.ts";
import { CliError } from "../output/failure.ts";

const hint =
  "name an SEV-SNP report, a TD quote, a Nitro document, the HCL report of an Azure machine, or the answer of a box's " +
  "attestation endpoint; raw, or in hex, base64, base64url or PEM";

/** The machine of the Evidence in a file. Throws a `CliError` for what is none, or does not say enough. */
export async function readEvidenceSubject(path: string, product: AmdProduct | null): Promise<EndorsementSubject> {
  const bytes = await readEvidenceFile(path, hint);
  try {
    const attested = attestedBy(recognizeEncoded(bytes)?.evidence ?? null, product);
    if (attested !== null) return attested.subject;
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

/** Whose Evidence it is, and for whose Endorsements one has to ask: below a virtual TPM, the hardware's. */
interface Attested {
  readonly tee: TeeKind;
  readonly subject: EndorsementSubject;
}

function attestedBy(evidence: RecognizedEvidence | null, product: Product): Attested | null {
  switch (evidence?.form) {
    case "sev-snp-report":
      return { tee: "sev-snp", subject: sevSnpSubject(evidence.bytes, product) };
    case "td-quote":
      return { tee: "tdx", subject: tdxSubject(evidence.bytes) };
    case "nitro-document":
      return { tee: "nitro", subject: { tee: "nitro" } };
    case "azure-hcl":
      return { tee: "azure-vtpm", subject: belowVtpm(evidence, product) };
    case "evidence-document":
      return agreeing(evidence.document.tee, attestedBy(evidence.evidence, product));
    default:
      return null;
  }
}

/** Evidence of another kind than its document says would get Endorsements that no Verifier takes with it. */
function agreeing(tee: TeeKind, attested: Attested | null): Attested | null {
  if (attested === null || attested.tee === tee) return attested;
  throw new EncodingError("bad-encoding", "document.evidence", `Evidence of ${tee}`, `Evidence of ${attested.tee}`);
}

/** The hardware below an Azure machine: a report that the HCL report holds, or a quote that comes beside it. */
function belowVtpm({ hclReport, tdQuote }: AzureForm, product: Product): EndorsementSubject {
  const { reportType, hardwareReport } = parseHclReport(hclReport);
  if (reportType === "snp") return sevSnpSubject(hardwareReport, product);
  if (tdQuote !== null) return tdxSubject(tdQuote);
  throw new EncodingError("bad-encoding", "tdQuote", "the TD quote beside the HCL report", "none");
}
