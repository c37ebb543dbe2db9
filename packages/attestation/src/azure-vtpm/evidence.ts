/** Parse: Evidence of an Azure confidential VM, from one document to the records of its parts. No trust. */
import { EvidenceError } from "../evidence-error.ts";
import { tdxQuoteOf } from "../tdx/index.ts";
import type { ParsedEvidence, Tee } from "../tee.ts";
import { parseAzureParts } from "./document.ts";
import { parseHclReport, type HclReport, type HclReportType } from "./hcl-report.ts";
import { parseRuntimeData, type RuntimeData } from "./runtime-data.ts";
import { parseTdReport, type TdReport } from "./td-report.ts";
import { parseTpmQuote, type TpmQuote } from "./tpm-quote.ts";

/** What the hardware says of the paravisor, and the paravisor of its virtual TPM. */
export interface HclEvidence {
  readonly report: HclReport;
  readonly runtimeData: RuntimeData;
  /** What the hardware below is judged by. */
  readonly tee: Tee;
  /** The hardware's own Evidence: the report inside, or the TD quote beside it. */
  readonly hardware: ParsedEvidence;
  /** The report inside on TDX, `null` on SEV-SNP. */
  readonly tdReport: TdReport | null;
}

/** What the virtual TPM says of the machine. */
export interface QuoteEvidence {
  readonly quote: TpmQuote;
  /** RSASSA-PKCS1-v1_5, as long as the modulus. */
  readonly signature: Uint8Array;
  /** The values of the quoted PCRs, by number, in the order of the selection. What was supplied beside them is not here. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
}

/** Both. */
export interface AzureEvidence {
  readonly hcl: HclEvidence;
  readonly quoted: QuoteEvidence;
}

/** A TD quote takes 5 KiB; buffers of 8000 bytes were seen. */
const maxTdQuoteBytes = 16 * 1024;
/** RSA of 4096 bits. */
const maxSignatureBytes = 512;

/**
 * Reads Evidence: the document, and each of its parts. The report of the hardware is read by the one of `hardware` that it is
 * of.
 *
 * @throws EvidenceError or EncodingError for anything else; `missing-td-quote` where the hardware is TDX and no quote came.
 */
export function parseAzureEvidence(bytes: Uint8Array, hardware: readonly Tee[]): AzureEvidence {
  const { hclReport, pcrs, quote, signature, tdQuote } = parseAzureParts(bytes);
  const hcl = parseHclEvidence(hclReport, tdQuote, hardware);
  return { hcl, quoted: parseQuoteEvidence(quote, signature, pcrs) };
}

/** Reads an HCL report, its runtime data, and the hardware's Evidence. @throws EvidenceError, EncodingError */
export function parseHclEvidence(bytes: Uint8Array, tdQuote: Uint8Array | null, hardware: readonly Tee[]): HclEvidence {
  const report = parseHclReport(bytes);
  const runtimeData = parseRuntimeData(report.runtimeData);
  const tee = teeOf(report.reportType, hardware);
  if (report.reportType === "snp") {
    if (tdQuote !== null) throw new EvidenceError("wrong-tee-type", "evidence.tdQuote", "null on SEV-SNP", "a quote");
    return { report, runtimeData, tee, hardware: tee.parseEvidence(report.hardwareReport), tdReport: null };
  }
  const tdReport = parseTdReport(report.hardwareReport);
  return { report, runtimeData, tee, hardware: tee.parseEvidence(demandedQuote(tdQuote)), tdReport };
}

const kinds = { snp: "sev-snp", tdx: "tdx" } as const satisfies Readonly<Record<HclReportType, string>>;

function teeOf(reportType: HclReportType, hardware: readonly Tee[]): Tee {
  const tee = hardware.find(({ kind }) => kind === kinds[reportType]);
  if (tee !== undefined) return tee;
  const accepted = hardware.map(({ kind }) => kind).join(" or ");
  throw new EvidenceError("wrong-tee-type", "hclReport.reportType", accepted, kinds[reportType]);
}

/** Azure's metadata service hands the quote out in a buffer that is longer. */
function demandedQuote(tdQuote: Uint8Array | null): Uint8Array {
  if (tdQuote === null) throw new EvidenceError("missing-td-quote", "evidence.tdQuote", "a TD quote", "none");
  if (tdQuote.length <= maxTdQuoteBytes) return tdxQuoteOf(tdQuote);
  throw new EvidenceError("bad-length", "evidence.tdQuote", `at most ${maxTdQuoteBytes}`, `${tdQuote.length}`);
}

/** Reads a quote with its signature. `pcrs` has one place for each PCR. Keeps the bytes. @throws EvidenceError, EncodingError */
export function parseQuoteEvidence(
  quoteBytes: Uint8Array,
  signature: Uint8Array,
  pcrs: readonly (Uint8Array | null)[],
): QuoteEvidence {
  const quote = parseTpmQuote(quoteBytes);
  if (signature.length > maxSignatureBytes) {
    throw new EvidenceError("bad-length", "evidence.signature", `at most ${maxSignatureBytes}`, `${signature.length}`);
  }
  const quoted = quote.selection.map((number) => [number, suppliedPcr(pcrs, number)] as const);
  return { quote, signature, pcrs: new Map(quoted) };
}

function suppliedPcr(pcrs: readonly (Uint8Array | null)[], number: number): Uint8Array {
  const pcr = pcrs[number] ?? null;
  if (pcr !== null) return pcr;
  throw new EvidenceError("pcr-mismatch", `evidence.pcrs[${number}]`, "the value of each quoted PCR", "none");
}
