/** Parse: a TD quote's bytes to a typed record (Intel TDX DCAP quote format, versions 4 and 5). No trust. */
import { ByteReader, EncodingError, toHex } from "@blindbox/encoding";
import { EvidenceError } from "../evidence-error.ts";
import type { PckChain } from "./pck-chain.ts";
import { parseQeReport, QE_REPORT_LENGTH, type QeReport } from "./qe-report.ts";
import { parseTdReport, TD_REPORT_10_LENGTH, TD_REPORT_15_LENGTH, type TdReport } from "./td-report.ts";

/** A whole quote: its fields, what each signature covers, and the signatures. */
export interface TdQuote {
  readonly version: 4 | 5;
  /** 2: TDX 1.0, 3: TDX 1.5, by the numbers of version 5. */
  readonly bodyType: 2 | 3;
  /** Free for the quoting enclave's use. */
  readonly userData: Uint8Array;
  readonly td: TdReport;
  /** Header, descriptor and body: what the attestation key signs. */
  readonly signed: Uint8Array;
  /** r and s, big-endian. */
  readonly signature: Uint8Array;
  /** x and y, big-endian. */
  readonly attestationKey: Uint8Array;
  readonly qe: QeReport;
  /** By the PCK over the quoting enclave's report: r and s, big-endian. */
  readonly qeSignature: Uint8Array;
  /** What the quoting enclave hashed together with the attestation key. */
  readonly qeAuthData: Uint8Array;
  readonly pck: PckChain;
}

/** Quotes take 5 KiB; the authentication data may have 64 KiB by their format, and have 32 bytes. */
const maxQuoteBytes = 64 * 1024;

const ecdsaP256KeyType = 2;
const tdxTeeType = 0x81;

/** `939a7233-f79c-4ca9-940a-0db3957f0607`: Intel's quoting enclave. */
export const INTEL_QE_VENDOR = "939a7233f79c4ca9940a0db3957f0607";

const qeReportCertification = 6;
const pckChainCertification = 5;

const bodyLengths: Readonly<Record<2 | 3, number>> = { 2: TD_REPORT_10_LENGTH, 3: TD_REPORT_15_LENGTH };

/**
 * Reads a quote. `readPckChain` reads the PEM text of the certificates in it.
 *
 * @throws EvidenceError or EncodingError for another version, kind of key, TEE or vendor, reserved bytes that are set, a length
 * that covers more or less than its part, and a single byte behind the end: nothing signs what stands there.
 */
export function parseQuote(input: Uint8Array, readPckChain: (pem: Uint8Array) => PckChain): TdQuote {
  if (input.length > maxQuoteBytes) {
    throw new EvidenceError("bad-length", "quote", `at most ${maxQuoteBytes} bytes`, `${input.length} bytes`);
  }
  // A copy: what the caller does to its bytes while signatures are verified must not change what was read.
  const bytes = new Uint8Array(input);
  const reader = new ByteReader(bytes, "quote");
  const { header, bodyType, body, signatureData } = parseParts(reader);
  reader.end();
  const signed = bytes.subarray(0, reader.offset - signatureData.length - 4);
  const td = parseTdReport(body);
  return { ...header, bodyType, td, signed, ...parseSignatureData(signatureData, readPckChain) };
}

/**
 * The quote alone out of the buffer in which a host handed it over: some hosts fill that up with zero bytes, which nothing signs
 * and {@link parseQuote} refuses. For whoever collects Evidence. A view of the same memory.
 *
 * @throws EvidenceError or EncodingError for what does not begin as a quote does, or has other bytes than zero behind it.
 */
export function tdxQuoteOf(buffer: Uint8Array): Uint8Array {
  const reader = new ByteReader(buffer, "quote");
  parseParts(reader);
  const end = reader.offset;
  reader.mustBeZero(reader.remaining, "padding");
  return buffer.subarray(0, end);
}

/**
 * What the TDX module says of the TD, out of such a buffer: for comparing it with what the TD knows of itself. Neither
 * certificates nor signatures are looked at. Views of the same memory.
 *
 * @throws as {@link tdxQuoteOf}.
 */
export function tdxReportOf(buffer: Uint8Array): TdReport {
  return parseTdReport(parseParts(new ByteReader(tdxQuoteOf(buffer), "quote")).body);
}

interface Parts {
  readonly header: Pick<TdQuote, "version" | "userData">;
  readonly bodyType: 2 | 3;
  readonly body: Uint8Array;
  readonly signatureData: Uint8Array;
}

function parseParts(reader: ByteReader): Parts {
  const header = parseHeader(reader);
  const bodyType = header.version === 4 ? 2 : parseDescriptor(reader);
  const body = reader.bytes(bodyLengths[bodyType], "body");
  const signatureData = reader.bytes(reader.u32le("signatureDataLength"), "signatureData");
  return { header, bodyType, body, signatureData };
}

function parseHeader(reader: ByteReader): Pick<TdQuote, "version" | "userData"> {
  const version = reader.u16le("version");
  if (version !== 4 && version !== 5) throw refused("unsupported-version", "version", "4 or 5", version);
  const keyType = reader.u16le("attestationKeyType");
  if (keyType !== ecdsaP256KeyType) throw refused("unsupported-key-type", "attestationKeyType", "2", keyType);
  const teeType = reader.u32le("teeType");
  if (teeType !== tdxTeeType) throw refused("wrong-tee-type", "teeType", "129", teeType);
  reader.mustBeZero(4, "reserved");
  const vendor = toHex(reader.bytes(16, "qeVendorId"));
  if (vendor !== INTEL_QE_VENDOR) {
    throw new EvidenceError("wrong-qe-vendor", "quote.qeVendorId", INTEL_QE_VENDOR, vendor);
  }
  return { version, userData: reader.bytes(20, "userData") };
}

function parseDescriptor(reader: ByteReader): 2 | 3 {
  const type = reader.u16le("bodyType");
  if (type !== 2 && type !== 3) throw refused("unsupported-format", "bodyType", "2 or 3", type);
  const length = reader.u32le("bodyLength");
  if (length === bodyLengths[type]) return type;
  throw refused("bad-length", "bodyLength", String(bodyLengths[type]), length);
}

type SignatureData = Pick<TdQuote, "signature" | "attestationKey" | "qe" | "qeSignature" | "qeAuthData" | "pck">;

function parseSignatureData(bytes: Uint8Array, readPckChain: (pem: Uint8Array) => PckChain): SignatureData {
  const outer = new ByteReader(bytes, "quote.signatureData");
  const signature = outer.bytes(64, "signature");
  const attestationKey = outer.bytes(64, "attestationKey");
  const certification = certified(outer, qeReportCertification);
  outer.end();
  const inner = new ByteReader(certification, "quote.certification");
  const qe = parseQeReport(inner.bytes(QE_REPORT_LENGTH, "qeReport"));
  const qeSignature = inner.bytes(64, "qeSignature");
  const qeAuthData = inner.bytes(inner.u16le("authDataLength"), "authData");
  const pem = certified(inner, pckChainCertification);
  inner.end();
  return { signature, attestationKey, qe, qeSignature, qeAuthData, pck: readPckChain(pem) };
}

function certified(reader: ByteReader, type: number): Uint8Array {
  const actual = reader.u16le("certificationType");
  if (actual !== type) throw refused("unsupported-cert-type", "certificationType", String(type), actual);
  return reader.bytes(reader.u32le("certificationLength"), "certification");
}

function refused(
  failure: ConstructorParameters<typeof EvidenceError>[0],
  field: string,
  expected: string,
  actual: number,
): EncodingError {
  return new EvidenceError(failure, `quote.${field}`, expected, String(actual));
}
