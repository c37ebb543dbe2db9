/** Public keys: a SubjectPublicKeyInfo to a typed record, and that record to a key of WebCrypto's. */
import {
  derBitString,
  DER_TAG,
  derExpect,
  derOid,
  derRead,
  derUnsigned,
  EncodingError,
  equalBytes,
  toBase64url,
  type DerElement,
} from "@blindbox/encoding";
import { curves, type Curve, type SignatureAlgorithm } from "./algorithms.ts";
import { openSequence, type Sequence } from "./der.ts";

const ecPublicKey = "1.2.840.10045.2.1";
const rsaEncryption = "1.2.840.113549.1.1.1";

/** A point on a curve. That it lies on the curve is for WebCrypto to say. */
export interface EcPublicKey {
  readonly kind: "ec";
  readonly curve: Curve;
  /** 0x04 and both coordinates. */
  readonly point: Uint8Array;
}

/** An RSA key of 2048 to 4096 bits whose exponent is 65537. */
export interface RsaPublicKey {
  readonly kind: "rsa";
  /** Big-endian, without leading zeros. */
  readonly modulus: Uint8Array;
}

/** A public key, checked for form. */
export type PublicKey = EcPublicKey | RsaPublicKey;

/**
 * Reads a DER SubjectPublicKeyInfo: id-ecPublicKey on a named curve of ours with the point uncompressed (RFC 5480), or
 * rsaEncryption with NULL parameters (RFC 4055, 1.2).
 *
 * @throws EncodingError for anything else.
 */
export function parsePublicKey(element: DerElement | undefined, field: string): PublicKey {
  const info = openSequence(element, field);
  const algorithm = openSequence(info.take(), `${field}.algorithm`);
  const bits = derBitString(info.take(), `${field}.subjectPublicKey`);
  info.end();
  const kind = derOid(algorithm.take(), `${field}.algorithm`);
  if (kind === ecPublicKey) return ecKey(algorithm, bits, field);
  if (kind === rsaEncryption) return rsaKey(algorithm, bits, field);
  throw unknown(field, "an EC or an RSA key");
}

function ecKey(algorithm: Sequence, point: Uint8Array, field: string): EcPublicKey {
  const named = derOid(algorithm.take(), `${field}.namedCurve`);
  algorithm.end();
  const curve = curves.find((each) => each.oid === named);
  if (curve === undefined) throw unknown(field, "a key on P-256 or P-384");
  if (point.length === 2 * curve.length + 1 && point[0] === 4) return { kind: "ec", curve, point };
  throw unknown(field, `an uncompressed point of ${2 * curve.length + 1} bytes`);
}

function rsaKey(algorithm: Sequence, bits: Uint8Array, field: string): RsaPublicKey {
  const parameters = derExpect(algorithm.take(), DER_TAG.null, `${field}.parameters`);
  algorithm.end();
  if (parameters.contents.length > 0) throw unknown(field, "NULL parameters");
  const key = openSequence(derRead(bits, field), field);
  const modulus = derUnsigned(key.take(), `${field}.modulus`);
  const exponent = derUnsigned(key.take(), `${field}.publicExponent`);
  key.end();
  return rsaPublicKey(modulus, exponent, field);
}

/** The one exponent that vendors use, and the smallest that FIPS 186-5 allows. */
const f4 = Uint8Array.of(1, 0, 1);

/**
 * The key of a modulus and an exponent, both big-endian without leading zeros.
 *
 * @throws EncodingError for less than 2048 or more than 4096 bits, an even modulus, or another exponent than 65537.
 */
export function rsaPublicKey(modulus: Uint8Array, exponent: Uint8Array, field: string): RsaPublicKey {
  const bits = 8 * modulus.length - Math.clz32(modulus[0] ?? 0) + 24;
  if (modulus[0] === 0 || bits < 2048 || bits > 4096) throw unknown(field, "a modulus of 2048 to 4096 bits");
  if (((modulus.at(-1) ?? 0) & 1) === 0) throw unknown(field, "an odd modulus");
  if (!equalBytes(exponent, f4)) throw unknown(field, "the exponent 65537");
  return { kind: "rsa", modulus };
}

function unknown(field: string, expected: string): EncodingError {
  return new EncodingError("bad-encoding", field, expected, "something else");
}

/** Whether the algorithm is one for keys of this kind. */
export function fits(algorithm: SignatureAlgorithm, key: PublicKey): boolean {
  return algorithm.key === (key.kind === "ec" ? key.curve : "rsa");
}

/** Length of a signature by this key, in bytes: r and s, or the modulus's. */
export function signatureLength(key: PublicKey): number {
  return key.kind === "ec" ? 2 * key.curve.length : key.modulus.length;
}

/** The bytes that make this key another one's than any other's. */
export function keyBytes(key: PublicKey): Uint8Array {
  return key.kind === "ec" ? key.point : key.modulus;
}

/** A key as WebCrypto wants it; `null` where that refuses it, as it does a point that is not on the curve. */
export type KeyImport = (algorithm: SignatureAlgorithm, key: PublicKey) => Promise<SubtleCryptoKey | null>;

/** The plain {@link KeyImport}. */
export async function importKey({ importing }: SignatureAlgorithm, key: PublicKey): Promise<SubtleCryptoKey | null> {
  const imported =
    key.kind === "ec"
      ? crypto.subtle.importKey("raw", key.point, importing, false, ["verify"])
      : crypto.subtle.importKey("jwk", jwkOf(key), importing, false, ["verify"]);
  return imported.catch(() => null);
}

// As a JWK an RSA key is imported in half the time that its SubjectPublicKeyInfo takes.
function jwkOf({ modulus }: RsaPublicKey): object {
  return { kty: "RSA", n: toBase64url(modulus), e: "AQAB" };
}
