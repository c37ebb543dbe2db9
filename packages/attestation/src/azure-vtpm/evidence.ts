/** Parse: Evidence of an Azure confidential VM, from one document to the records of its parts. No trust. */
import { EncodingError, fromHex, jsonArray, jsonObject, jsonString, parseCanonicalJson } from "@blindbox/encoding";
import type { JsonValue } from "@blindbox/encoding";
import { EvidenceError } from "../evidence-error.ts";
import { jsonBytes, jsonOrNull, jsonType } from "../json.ts";
import type { ParsedEvidence, Tee } from "../tee.ts";
import { parseHclReport, type HclReport, type HclReportType } from "./hcl-report.ts";
import { parseRuntimeData, type RuntimeData } from "./runtime-data.ts";
import { withoutPadding } from "./td-quote.ts";
import { parseTdReport, type TdReport } from "./td-report.ts";
import { parseTpmQuote, PCR_COUNT, type TpmQuote } from "./tpm-quote.ts";

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

const documentType = "blindbox-azure-vtpm/1";

/** The largest parts take 8 KiB (HCL report) and 16 KiB (TD quote) before their base64url. */
const maxDocumentBytes = 48 * 1024;
/** A TD quote takes 5 KiB; buffers of 8000 bytes were seen. */
const maxTdQuoteBytes = 16 * 1024;
/** RSA of 4096 bits. */
const maxSignatureBytes = 512;
const pcrLength = 32;

/**
 * Reads Evidence: canonical JSON with exactly the members `hclReport`, `pcrs`, `quote`, `signature`, `tdQuote`, `type`. The
 * report of the hardware is read by the one of `hardware` that it is of.
 *
 * @throws EvidenceError or EncodingError for anything else; `missing-td-quote` where the hardware is TDX and no quote came.
 */
export function parseAzureEvidence(bytes: Uint8Array, hardware: readonly Tee[]): AzureEvidence {
  const value = parseCanonicalJson(bytes, { maxBytes: maxDocumentBytes, maxDepth: 2 });
  const members = jsonObject(value, "evidence", ["hclReport", "pcrs", "quote", "signature", "tdQuote", "type"]);
  jsonType(members.type, "evidence.type", documentType);
  const tdQuote = jsonOrNull(members.tdQuote, (quote) => jsonBytes(quote, "evidence.tdQuote"));
  const hcl = parseHclEvidence(jsonBytes(members.hclReport, "evidence.hclReport"), tdQuote, hardware);
  const quote = jsonBytes(members.quote, "evidence.quote");
  const signature = jsonBytes(members.signature, "evidence.signature");
  return { hcl, quoted: parseQuoteEvidence(quote, signature, pcrsIn(members.pcrs)) };
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

function demandedQuote(tdQuote: Uint8Array | null): Uint8Array {
  if (tdQuote === null) throw new EvidenceError("missing-td-quote", "evidence.tdQuote", "a TD quote", "none");
  if (tdQuote.length <= maxTdQuoteBytes) return withoutPadding(tdQuote);
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
