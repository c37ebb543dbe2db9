/** COSE_Sign1 (RFC 9052, section 4.2), strictly: one algorithm that the reader fixes, the payload inside, nothing unknown. */
import {
  cborArray,
  cborBytes,
  cborMap,
  cborMapOf,
  CborTagged,
  encodeCbor,
  EncodingError,
  parseCbor,
  type CborKey,
  type CborMap,
  type CborValue,
  type LengthRange,
} from "@blindbox/encoding";
import { EvidenceError } from "../evidence-error.ts";
import { ecdsaP384, rsaPssSha384, type SignatureAlgorithm } from "../x509/index.ts";

/** One algorithm of COSE's. A message never chooses among several. */
export interface CoseAlgorithm {
  readonly name: string;
  /** Number in the registry of COSE algorithms. */
  readonly id: number;
  readonly signature: SignatureAlgorithm;
  /** How long a signature may be, in bytes. */
  readonly length: LengthRange;
}

/** ECDSA with SHA-384 (RFC 9053, 2.1), on P-384: r and s, 48 bytes each. */
export const es384: CoseAlgorithm = {
  name: "ES384",
  id: -35,
  signature: ecdsaP384,
  length: { min: 96, max: 96 },
};

/** RSASSA-PSS with SHA-384 and a salt of 48 bytes (RFC 8230, 2), by keys of 2048 to 4096 bits. */
export const ps384: CoseAlgorithm = {
  name: "PS384",
  id: -38,
  signature: rsaPssSha384,
  length: { min: 256, max: 512 },
};

/** What one format makes of COSE_Sign1. Every member is required. */
export interface CoseRules {
  readonly algorithm: CoseAlgorithm;
  /** Longest message that is looked at. */
  readonly maxBytes: number;
  /** Parameters that the protected header may have beside the algorithm. */
  readonly protectedKeys: readonly CborKey[];
  /** Tags that may stand in the protected header. */
  readonly protectedTags: readonly number[];
  /** Parameters that the unprotected header may have. Nothing may be derived from them. */
  readonly unprotectedKeys: readonly CborKey[];
}

/** A message that has been read and not been believed yet. */
export interface CoseSign1 {
  /** The protected header. */
  readonly header: CborMap;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** What the signature is over: the encoded Sig_structure (RFC 9052, section 4.4), without external data. */
  readonly signed: Uint8Array;
}

const coseSign1Tag = 18;
const algorithmLabel = 1;

/** Tag, array, header map, and what a header may hold. */
const maxDepth = 4;

/**
 * Reads a message, behind the tag 18 or without it.
 *
 * @throws EvidenceError `unsupported-algorithm` where the protected header names another algorithm or none; EncodingError
 * for whatever else is not of this form. The payload is not looked into. What is returned are views of a copy of `bytes`.
 */
export function parseCoseSign1(bytes: Uint8Array, rules: CoseRules, field: string): CoseSign1 {
  const read = parseMessage(bytes, rules, field);
  const message = read instanceof CborTagged ? read.value : read;
  const [protectedPart, unprotected, content, signature] = cborArray(message, field, { min: 4, max: 4 });
  const within: LengthRange = { min: 1, max: rules.maxBytes };
  const protectedHeader = cborBytes(protectedPart, `${field}.protected`, within);
  const header = parseHeader(protectedHeader, rules, `${field}.protected`);
  cborMapOf(unprotected, `${field}.unprotected`, rules.unprotectedKeys);
  const payload = cborBytes(content, `${field}.payload`, within);
  return {
    header,
    payload,
    signature: cborBytes(signature, `${field}.signature`, rules.algorithm.length),
    signed: encodeCbor(["Signature1", protectedHeader, new Uint8Array(), payload]),
  };
}

function parseMessage(bytes: Uint8Array, { maxBytes }: CoseRules, field: string): CborValue {
  if (bytes.length > maxBytes) {
    throw new EncodingError("limit-exceeded", field, `at most ${maxBytes} bytes`, `${bytes.length} bytes`);
  }
  // A copy: what the caller does to its bytes later must not change what is verified.
  return parseCbor(new Uint8Array(bytes), { maxBytes, maxDepth, indefinite: false, tags: [coseSign1Tag] }, field);
}

function parseHeader(bytes: Uint8Array, rules: CoseRules, field: string): CborMap {
  const limits = { maxBytes: bytes.length, maxDepth, indefinite: false, tags: rules.protectedTags };
  const header = cborMap(parseCbor(bytes, limits, field), field);
  expectAlgorithm(header, rules.algorithm, field);
  return cborMapOf(header, field, [algorithmLabel, ...rules.protectedKeys]);
}

function expectAlgorithm(header: CborMap, { name, id }: CoseAlgorithm, field: string): void {
  const named = header.get(algorithmLabel);
  if (named === id) return;
  const actual = typeof named === "number" ? String(named) : "no number";
  throw new EvidenceError("unsupported-algorithm", `${field}.alg`, `${name} (${id})`, actual);
}
