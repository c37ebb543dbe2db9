/** From Evidence to the machine that it is of: the few fields that a vendor is asked by. No trust, and no appraisal. */
import { EncodingError, toHex } from "@blindbox/encoding";
import { parseSevSnpReport, type SigningKey } from "../sev-snp/evidence.ts";
import { cpuOf, type AmdProduct, type Cpuid } from "../sev-snp/products.ts";
import { parseQuote, tdxQuoteOf, type TdQuote } from "../tdx/evidence.ts";
import { parsePckChain, pckChainText, type PckChain } from "../tdx/pck-chain.ts";
import { EndorserError, mismatch } from "./endorser-error.ts";
import type { SevSnpSubject, TdxSubject } from "./subject.ts";

/**
 * The machine of an SEV-SNP report. `product` is for reports of version 2, which do not say it; `null` where it is not known.
 *
 * @throws EncodingError for what is no report; EndorserError `missing` where the product is not to be told, `mismatch` where
 * the report says another.
 */
export function sevSnpSubject(report: Uint8Array, product: AmdProduct | null): SevSnpSubject {
  const { cpuid, chipId, reportedTcb, signingKey } = parseSevSnpReport(report);
  return {
    tee: "sev-snp",
    product: productOf(cpuid, product),
    chipId: toHex(chipId),
    reportedTcb: toHex(reportedTcb),
    key: endorsedKey(signingKey),
  };
}

function endorsedKey(key: SigningKey): SevSnpSubject["key"] {
  if (key === "vcek" || key === "vlek") return key;
  throw new EncodingError("bad-encoding", "report.signingKey", "VCEK or VLEK", key);
}

/** The product of a CPUID family and model, both with their extensions; `null` for any other processor. */
export function amdProductOf(family: number, model: number): AmdProduct | null {
  return cpuOf({ family, model, stepping: 0 })?.line ?? null;
}

function productOf(cpuid: Cpuid | null, given: AmdProduct | null): AmdProduct {
  if (cpuid === null) {
    if (given !== null) return given;
    const hint = "reports of version 2 do not name it: say which one the machine is";
    throw new EndorserError({ code: "missing", field: "product", expected: "the product", actual: "none", hint });
  }
  const product = amdProductOf(cpuid.family, cpuid.model);
  if (product === null) throw new EncodingError("bad-encoding", "report.cpuid", "a known product", "another");
  if (given === null || given === product) return product;
  throw mismatch("product", `${given}, as given`, `${product}, as the report says`);
}

/**
 * The machine of a TD quote, as the certificates in it say. Zero bytes behind the quote, which some hosts add, are passed over.
 *
 * @throws EncodingError for what is no such quote.
 */
export function tdxSubject(quote: Uint8Array): TdxSubject {
  const { pck } = readQuote(quote);
  return { tee: "tdx", fmspc: pck.sgx.fmspc, ca: authorityOf(pck) };
}

/**
 * The 64 bytes that a TD had signed in a quote, which may have zero bytes behind it as for {@link tdxSubject}. For whoever
 * collects Evidence.
 *
 * @throws EncodingError for what is no such quote.
 */
export function tdxReportData(quote: Uint8Array): Uint8Array {
  return readQuote(quote).td.reportData;
}

function readQuote(buffer: Uint8Array): TdQuote {
  return parseQuote(tdxQuoteOf(buffer), (pem) => parsePckChain(pckChainText(pem)));
}

function authorityOf({ intermediateName }: PckChain): TdxSubject["ca"] {
  if (intermediateName === "Intel SGX PCK Platform CA") return "platform";
  if (intermediateName === "Intel SGX PCK Processor CA") return "processor";
  throw new EncodingError("bad-encoding", "quote.pckChain", "one of Intel's two CAs", "another name");
}
