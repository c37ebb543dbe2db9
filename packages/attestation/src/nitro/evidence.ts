/**
 * Parse: a Nitro Secure Module's attestation document (a COSE_Sign1, "Verifying the root of trust" in AWS's Nitro Enclaves
 * guide) to a typed record. No trust.
 */
import {
  cborArray,
  cborBytes,
  cborInteger,
  cborMap,
  cborMapOf,
  cborText,
  EncodingError,
  parseCbor,
  type CborMap,
  type CborValue,
  type LengthRange,
} from "@blindbox/encoding";
import { es384, parseCoseSign1, type CoseRules } from "../cose/sign1.ts";
import { EvidenceError } from "../evidence-error.ts";

/** Length of every PCR: SHA-384. */
export const PCR_LENGTH = 48;

/** The PCRs that measure what runs. A document without one of them measures nothing. */
export const CODE_PCRS = [0, 1, 2] as const;

/** A document as it stands. */
export interface NitroDocument {
  /** Instance and enclave, 1 to 128 visible ASCII characters. */
  readonly moduleId: string;
  /** When the module made it, in milliseconds since 1970, by the hypervisor's clock. */
  readonly timestamp: number;
  /** By index, 0 to 31. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  /** DER. */
  readonly certificate: Uint8Array;
  /** DER: the root first, the leaf's issuer last. Never empty. */
  readonly cabundle: readonly Uint8Array[];
  /** `null` where the enclave gave none; so are the next two. */
  readonly publicKey: Uint8Array | null;
  readonly userData: Uint8Array | null;
  readonly nonce: Uint8Array | null;
  /** The bytes that were signed. */
  readonly signed: Uint8Array;
  /** r and s, big-endian, 48 bytes each. */
  readonly signature: Uint8Array;
}

/** The module's whole answer has at most 12,288 bytes (0x3000), the document in it. */
const maxDocumentBytes = 12_288;

const rules: CoseRules = {
  algorithm: es384,
  maxBytes: maxDocumentBytes,
  protectedKeys: [],
  protectedTags: [],
  unprotectedKeys: [],
};

/**
 * Reads a document, behind COSE's tag or without it, its map of definite or indefinite length. Checks its form only: neither
 * chain nor signature is verified here.
 *
 * @throws EvidenceError `unsupported-algorithm` for another than ES384, `missing-endorsement` where the certificate or the
 * chain is not there; EncodingError for whatever else is not of this form, unknown members and PCRs of other lengths too.
 */
export function parseNitroDocument(bytes: Uint8Array): NitroDocument {
  const { payload, signed, signature } = parseCoseSign1(bytes, rules, "document");
  const limits = { maxBytes: maxDocumentBytes, maxDepth: 2, indefinite: true, tags: [] };
  const document = cborMapOf(parseCbor(payload, limits, "document.payload"), "document.payload", members);
  expectDigest(document.get("digest"));
  return {
    moduleId: readModuleId(document.get("module_id")),
    timestamp: cborInteger(document.get("timestamp"), "document.timestamp", { min: 1, max: latest }),
    pcrs: readPcrs(document.get("pcrs")),
    certificate: readCertificate(document),
    cabundle: readCabundle(document),
    publicKey: bytesOrNull(document.get("public_key"), "document.public_key", { min: 1, max: 1024 }),
    userData: bytesOrNull(document.get("user_data"), "document.user_data", { min: 0, max: 1024 }),
    nonce: bytesOrNull(document.get("nonce"), "document.nonce", { min: 0, max: 1024 }),
    signed,
    signature,
  };
}

const members = [
  "module_id",
  "digest",
  "timestamp",
  "pcrs",
  "certificate",
  "cabundle",
  "public_key",
  "user_data",
  "nonce",
] as const;

/** The year 9999, in milliseconds: the last that X.509 can name. */
const latest = 253_402_300_799_999;

function readModuleId(value: CborValue | undefined): string {
  const text = cborText(value, "document.module_id", { min: 1, max: 128 });
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new EncodingError("bad-encoding", "document.module_id", "visible ASCII", "other characters");
}

function expectDigest(value: CborValue | undefined): void {
  const digest = cborText(value, "document.digest", { min: 1, max: 16 });
  if (digest === "SHA384") return;
  throw new EvidenceError("unsupported-algorithm", "document.digest", "SHA384", "another algorithm");
}

function readPcrs(value: CborValue | undefined): ReadonlyMap<number, Uint8Array> {
  const entries = [...cborMap(value, "document.pcrs")].map(([index, pcr]) => {
    const at = cborInteger(index, "document.pcrs", { min: 0, max: 31 });
    return [at, cborBytes(pcr, `document.pcrs[${at}]`, { min: PCR_LENGTH, max: PCR_LENGTH })] as const;
  });
  const pcrs = new Map(entries);
  for (const index of CODE_PCRS) {
    if (!pcrs.has(index)) throw new EncodingError("bad-encoding", `document.pcrs[${index}]`, "a PCR", "none");
  }
  return pcrs;
}

/** AWS names this limit for certificates. */
const certificateLength: LengthRange = { min: 1, max: 1024 };

/** Issuers in a document; AWS's chains have 4. */
const maxIssuers = 8;

function readCertificate(document: CborMap): Uint8Array {
  if (!document.has("certificate")) throw missing("document.certificate");
  return cborBytes(document.get("certificate"), "document.certificate", certificateLength);
}

function readCabundle(document: CborMap): readonly Uint8Array[] {
  const bundle = document.get("cabundle");
  if (bundle === undefined || (Array.isArray(bundle) && bundle.length === 0)) throw missing("document.cabundle");
  return cborArray(bundle, "document.cabundle", { min: 1, max: maxIssuers }).map((der, at) =>
    cborBytes(der, `document.cabundle[${at}]`, certificateLength),
  );
}

function missing(field: string): EvidenceError {
  return new EvidenceError("missing-endorsement", field, "a certificate", "none");
}

function bytesOrNull(value: CborValue | undefined, path: string, length: LengthRange): Uint8Array | null {
  return value === undefined || value === null ? null : cborBytes(value, path, length);
}
