/** Verifying one signature by WebCrypto, from the forms in which X.509 carries algorithm, key and signature. */
import {
  concatBytes,
  derBitString,
  derOid,
  derRead,
  derUnsigned,
  EncodingError,
  type DerElement,
} from "@blindbox/encoding";
import { curves, signatureAlgorithms, type Curve, type SignatureAlgorithm } from "./algorithms.ts";
import { openSequence } from "./der.ts";

const ecPublicKey = "1.2.840.10045.2.1";

/** A public key of a SubjectPublicKeyInfo, checked for form: the point's membership of the curve is WebCrypto's. */
export interface PublicKey {
  readonly curve: Curve;
  /** 0x04 and both coordinates. */
  readonly point: Uint8Array;
}

/**
 * Reads a DER SubjectPublicKeyInfo (RFC 5480): id-ecPublicKey on a named curve of ours, point uncompressed.
 *
 * @throws EncodingError for anything else.
 */
export function parsePublicKey(element: DerElement | undefined, field: string): PublicKey {
  const info = openSequence(element, field);
  const algorithm = openSequence(info.take(), `${field}.algorithm`);
  const point = derBitString(info.take(), `${field}.subjectPublicKey`);
  info.end();
  const kind = derOid(algorithm.take(), `${field}.algorithm`);
  const parameters = derOid(algorithm.take(), `${field}.namedCurve`);
  algorithm.end();
  const curve = curves.find((each) => each.oid === parameters);
  if (kind !== ecPublicKey || curve === undefined) throw unknown(field, "an EC key on P-256 or P-384");
  return { curve, point: uncompressed(point, curve, field) };
}

function uncompressed(point: Uint8Array, curve: Curve, field: string): Uint8Array {
  if (point.length === 2 * curve.length + 1 && point[0] === 4) return point;
  throw unknown(field, `an uncompressed point of ${2 * curve.length + 1} bytes`);
}

function unknown(field: string, expected: string): EncodingError {
  return new EncodingError("bad-encoding", field, expected, "something else");
}

/**
 * Reads a DER AlgorithmIdentifier of a signature: one of {@link signatureAlgorithms}, without parameters (RFC 5758).
 *
 * @throws EncodingError for anything else.
 */
export function parseSignatureAlgorithm(element: DerElement | undefined, field: string): SignatureAlgorithm {
  const identifier = openSequence(element, field);
  const oid = derOid(identifier.take(), field);
  const algorithm = signatureAlgorithms.find((each) => each.oid === oid);
  if (algorithm === undefined) throw unknown(field, "ECDSA with SHA-256 or SHA-384");
  identifier.end();
  return algorithm;
}

/** Whether `signature` (a DER Ecdsa-Sig-Value) is the key's over `signed`. A malformed signature is a wrong one. */
export async function verifyDerSignature(
  algorithm: SignatureAlgorithm,
  key: PublicKey,
  signature: Uint8Array,
  signed: Uint8Array,
): Promise<boolean> {
  const raw = rawSignature(signature, algorithm.curve);
  return raw !== null && verifyRawSignature(algorithm, key, raw, signed);
}

/** Whether `signature` (r and s, big-endian, each as long as the curve's order) is the key's over `signed`. */
export async function verifyRawSignature(
  algorithm: SignatureAlgorithm,
  key: PublicKey,
  signature: Uint8Array,
  signed: Uint8Array,
): Promise<boolean> {
  if (key.curve !== algorithm.curve || signature.length !== 2 * algorithm.curve.length) return false;
  const imported = await importKey(key);
  if (imported === null) return false;
  return crypto.subtle.verify({ name: "ECDSA", hash: algorithm.hash }, imported, signature, signed);
}

// WebCrypto rejects a point that is not on the curve. No key, no valid signature: the caller gets `false`.
async function importKey({ curve, point }: PublicKey): Promise<SubtleCryptoKey | null> {
  const algorithm = { name: "ECDSA", namedCurve: curve.name };
  return crypto.subtle.importKey("raw", point, algorithm, false, ["verify"]).catch(() => null);
}

function rawSignature(signature: Uint8Array, { length }: Curve): Uint8Array | null {
  try {
    const value = openSequence(derRead(signature, "signature"), "signature");
    const r = scalar(value.take(), length);
    const s = scalar(value.take(), length);
    value.end();
    return concatBytes(r, s);
  } catch (error) {
    if (error instanceof EncodingError) return null;
    throw error;
  }
}

function scalar(element: DerElement | undefined, length: number): Uint8Array {
  const magnitude = derUnsigned(element, "signature");
  if (magnitude.length > length) throw unknown("signature", `a scalar of at most ${length} bytes`);
  return concatBytes(new Uint8Array(length - magnitude.length), magnitude);
}
