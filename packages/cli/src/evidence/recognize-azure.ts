/** The parts of an Azure machine's Evidence, in the documents in which tools keep them beside one another. */
import { AZURE_EVIDENCE_TYPE } from "@blindbox/attestation";
import { fromHex, toHex } from "@blindbox/encoding";
import { isObject } from "./json-text.ts";

/** The HCL report of an Azure machine, and what was found beside it; `null` is what was not. */
export interface AzureForm {
  readonly form: "azure-hcl";
  readonly hclReport: Uint8Array;
  /** On TDX, the quote that makes the report verifiable. */
  readonly tdQuote: Uint8Array | null;
  /** The virtual TPM's quote: what it signed. */
  readonly quote: Uint8Array | null;
  /** By number, in lower-case hex. */
  readonly pcrs: readonly (string | null)[];
}

type Members = Readonly<Record<string, unknown>>;

/** Reads base64url, padded or not. */
type FromBase64 = (text: string, field: string) => Uint8Array;

/** @throws EncodingError for a part that is not encoded as it should be. */
export function recognizeAzureJson(members: Members, fromBase64: FromBase64): AzureForm | null {
  if (members["type"] === AZURE_EVIDENCE_TYPE) return ours(members, fromBase64);
  const inner = members["evidence"];
  return withHclReport(isObject(inner) ? inner : members, fromBase64) ?? withReport(members);
}

/** The document that a box has as its Evidence. */
function ours(members: Members, fromBase64: FromBase64): AzureForm | null {
  const { hclReport, tdQuote, quote } = members;
  if (typeof hclReport !== "string") return null;
  return {
    form: "azure-hcl",
    hclReport: fromBase64(hclReport, "hclReport"),
    tdQuote: typeof tdQuote === "string" ? fromBase64(tdQuote, "tdQuote") : null,
    quote: typeof quote === "string" ? fromBase64(quote, "quote") : null,
    pcrs: pcrsOf(members["pcrs"]),
  };
}

/** What tools for Azure write: reports in base64url, the TPM's part in hex. */
function withHclReport(members: Members, fromBase64: FromBase64): AzureForm | null {
  const { hcl_report: report, td_quote: tdQuote, tpm_quote: tpmQuote } = members;
  if (typeof report !== "string") return null;
  const { message, pcrs } = isObject(tpmQuote) ? tpmQuote : {};
  return {
    form: "azure-hcl",
    hclReport: fromBase64(report, "hcl_report"),
    tdQuote: typeof tdQuote === "string" ? fromBase64(tdQuote, "td_quote") : null,
    quote: typeof message === "string" ? fromHex(message, "tpm_quote.message") : null,
    pcrs: pcrsOf(pcrs),
  };
}

/** The older form: every part as a list of bytes. */
function withReport({ report, quote }: Members): AzureForm | null {
  const hclReport = bytesOf(report);
  if (hclReport === null) return null;
  const { message, pcrs } = isObject(quote) ? quote : {};
  return { form: "azure-hcl", hclReport, tdQuote: null, quote: bytesOf(message), pcrs: pcrsOf(pcrs) };
}

const pcrCount = 24;

function pcrsOf(value: unknown): readonly (string | null)[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, pcrCount).map((pcr: unknown) => {
    const bytes = bytesOf(pcr);
    if (bytes !== null) return toHex(bytes);
    return typeof pcr === "string" && /^[0-9a-f]{64}$/.test(pcr) ? pcr : null;
  });
}

function bytesOf(value: unknown): Uint8Array | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const items: readonly unknown[] = value;
  const areBytes = items.every((byte) => typeof byte === "number" && Number.isInteger(byte) && byte >= 0 && byte < 256);
  return areBytes ? Uint8Array.from(items as readonly number[]) : null;
}
