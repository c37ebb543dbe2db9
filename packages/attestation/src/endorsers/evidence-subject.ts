/** From Evidence to the machine that it is of: the few fields that a vendor is asked by. No trust, and no appraisal. */
import {
  ByteReader,
  derOctetString,
  derOid,
  derRead,
  derSequence,
  EncodingError,
  fromUtf8,
  toHex,
} from "@blindbox/encoding";
import { REPORT_LENGTH } from "../sev-snp/evidence.ts";
import { cpuOf, type AmdProduct } from "../sev-snp/products.ts";
import { commonNameOf, type Certificate } from "../x509/index.ts";
import { pemChainOf } from "./certificate-reading.ts";
import { EndorserError, mismatch } from "./endorser-error.ts";
import type { SevSnpSubject, TdxSubject } from "./subject.ts";

const firstVersionWithCpuid = 3;
const signingKeys: ReadonlyMap<number, SevSnpSubject["key"]> = new Map([
  [0, "vcek"],
  [1, "vlek"],
]);

/**
 * The machine of an SEV-SNP report. `product` is for reports of version 2, which do not say it; `null` where it is not known.
 *
 * @throws EncodingError for what is no report; EndorserError `missing` where the product is not to be told, `mismatch` where
 * the report says another.
 */
export function sevSnpSubject(report: Uint8Array, product: AmdProduct | null): SevSnpSubject {
  if (report.length !== REPORT_LENGTH) {
    throw new EncodingError("bad-encoding", "report", `${REPORT_LENGTH} bytes`, `${report.length} bytes`);
  }
  const view = new ByteReader(report, "report");
  const version = view.u32le("version");
  if (version < 2 || version > 5) throw new EncodingError("bad-encoding", "report.version", "2 to 5", `${version}`);
  return {
    tee: "sev-snp",
    product: productOf(version < firstVersionWithCpuid ? null : report.subarray(0x188, 0x18a), product),
    chipId: toHex(report.subarray(0x1a0, 0x1e0)),
    reportedTcb: toHex(report.subarray(0x180, 0x188)),
    key: signingKeyOf(report),
  };
}

function signingKeyOf(report: Uint8Array): SevSnpSubject["key"] {
  const number = ((report[0x48] ?? 0) >> 2) & 7;
  const key = signingKeys.get(number);
  if (key !== undefined) return key;
  throw new EncodingError("bad-encoding", "report.signingKey", "VCEK or VLEK", `key ${number}`);
}

/** The product of a CPUID family and model, both with their extensions; `null` for any other processor. */
export function amdProductOf(family: number, model: number): AmdProduct | null {
  return cpuOf({ family, model, stepping: 0 })?.line ?? null;
}

function productOf(cpuid: Uint8Array | null, given: AmdProduct | null): AmdProduct {
  if (cpuid === null) {
    if (given !== null) return given;
    const hint = "reports of version 2 do not name it: say which one the machine is";
    throw new EndorserError({ code: "missing", field: "product", expected: "the product", actual: "none", hint });
  }
  const [family = 0, model = 0] = cpuid;
  const product = amdProductOf(family, model);
  if (product === null) throw new EncodingError("bad-encoding", "report.cpuid", "a known product", "another");
  if (given === null || given === product) return product;
  throw mismatch("product", `${given}, as given`, `${product}, as the report says`);
}

const teeTdx = 0x81;
/** Lengths of a quote's body by the type that version 5 names. Version 4 has the first alone, and does not name it. */
const bodyBytes: ReadonlyMap<number, number> = new Map([
  [2, 584],
  [3, 648],
]);
const qeReportData = 6;
const pckChain = 5;

/**
 * The machine of a TD quote, as the PCK certificate in it says.
 *
 * @throws EncodingError for what is no such quote.
 */
export function tdxSubject(quote: Uint8Array): TdxSubject {
  const [leaf] = pemChainOf(pckChainOf(quote), "quote.pckChain", 3);
  if (leaf === undefined) throw new EncodingError("bad-encoding", "quote.pckChain", "a certificate", "none");
  return { tee: "tdx", fmspc: fmspcOf(leaf), ca: authorityOf(leaf) };
}

function pckChainOf(quote: Uint8Array): string {
  const outer = new ByteReader(quote, "quote");
  const version = outer.u16le("version");
  outer.bytes(2, "attestationKeyType");
  const tee = outer.u32le("teeType");
  if ((version !== 4 && version !== 5) || tee !== teeTdx) {
    throw new EncodingError("bad-encoding", "quote", "a TD quote of version 4 or 5", "another");
  }
  outer.bytes(40, "header");
  outer.bytes(bodyLength(outer, version), "body");
  const signed = new ByteReader(outer.bytes(outer.u32le("signatureLength"), "signature"), "quote.signature");
  signed.bytes(128, "signatureAndKey");
  const nested = new ByteReader(certified(signed, qeReportData), "quote.certification");
  nested.bytes(384 + 64, "qeReport");
  nested.bytes(nested.u16le("authLength"), "auth");
  return withoutTail(fromUtf8(certified(nested, pckChain), "quote.pckChain"));
}

function bodyLength(reader: ByteReader, version: number): number {
  const type = version === 4 ? 2 : reader.u16le("bodyType");
  const expected = bodyBytes.get(type) ?? 0;
  const length = version === 4 ? expected : reader.u32le("bodyLength");
  if (length === expected && length > 0) return length;
  throw new EncodingError("bad-encoding", "quote.body", "the length of its type", `${length} bytes of type ${type}`);
}

function certified(reader: ByteReader, type: number): Uint8Array {
  const found = reader.u16le("certificationType");
  if (found === type) return reader.bytes(reader.u32le("certificationLength"), "certification");
  throw new EncodingError("bad-encoding", "quote.certificationType", `${type}`, `${found}`);
}

/** Quoting libraries end the chain with a zero byte, or several. */
function withoutTail(text: string): string {
  const end = text.indexOf("\0");
  if (end === -1) return text;
  if (/^\0*$/.test(text.slice(end))) return text.slice(0, end);
  throw new EncodingError("trailing-bytes", "quote.pckChain", "zero bytes at its end", "other bytes");
}

const sgxExtension = "1.2.840.113741.1.13.1";

function fmspcOf({ extensions }: Certificate): string {
  const value = extensions.find(({ oid }) => oid === sgxExtension)?.value;
  if (value === undefined) throw new EncodingError("bad-encoding", "pck", "Intel's SGX extension", "none");
  for (const member of derSequence(derRead(value, "pck.sgx"), "pck.sgx")) {
    const [id, content] = derSequence(member, "pck.sgx");
    if (derOid(id, "pck.sgx") !== `${sgxExtension}.4`) continue;
    const fmspc = derOctetString(content, "pck.fmspc");
    if (fmspc.length === 6) return toHex(fmspc);
  }
  throw new EncodingError("bad-encoding", "pck.fmspc", "6 bytes", "none");
}

function authorityOf({ issuer }: Certificate): TdxSubject["ca"] {
  const name = commonNameOf(issuer);
  if (name === "Intel SGX PCK Platform CA") return "platform";
  if (name === "Intel SGX PCK Processor CA") return "processor";
  throw new EncodingError("bad-encoding", "pck.issuer", "one of Intel's two CAs", "another name");
}
