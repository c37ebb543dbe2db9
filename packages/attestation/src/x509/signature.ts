/** Verifying one signature by WebCrypto, from the forms in which X.509 carries algorithm and signature. */
import { concatBytes, derRead, derUnsigned, EncodingError, toHex, type DerElement } from "@blindbox/encoding";
import { signatureAlgorithms, type Curve, type SignatureAlgorithm } from "./algorithms.ts";
import { openSequence, rawSequence } from "./der.ts";
import { fits, importKey, signatureLength, type KeyImport, type PublicKey } from "./public-key.ts";

/**
 * Reads a DER AlgorithmIdentifier of a signature: one of {@link signatureAlgorithms}, byte by byte.
 *
 * @throws EncodingError for anything else.
 */
export function parseSignatureAlgorithm(element: DerElement | undefined, field: string): SignatureAlgorithm {
  const identifier = toHex(rawSequence(element, field));
  const algorithm = signatureAlgorithms.find(({ identifiers }) => identifiers.includes(identifier));
  if (algorithm !== undefined) return algorithm;
  const known = signatureAlgorithms.map(({ name }) => name).join(", ");
  throw new EncodingError("bad-encoding", field, known, "another algorithm, or other parameters");
}

/**
 * Whether `signature`, as certificates and CRLs carry it (a DER Ecdsa-Sig-Value, or RSA's bytes), is the key's over `signed`.
 * A malformed signature is a wrong one.
 */
export async function verifyDerSignature(
  algorithm: SignatureAlgorithm,
  key: PublicKey,
  signature: Uint8Array,
  signed: Uint8Array,
  importing: KeyImport = importKey,
): Promise<boolean> {
  const raw = algorithm.key === "rsa" ? signature : rawSignature(signature, algorithm.key);
  return raw !== null && verifyRawSignature(algorithm, key, raw, signed, importing);
}

/**
 * Whether `signature` (r and s, big-endian, each as long as the curve's order; or as many bytes as RSA's modulus has) is
 * the key's over `signed`.
 */
export async function verifyRawSignature(
  algorithm: SignatureAlgorithm,
  key: PublicKey,
  signature: Uint8Array,
  signed: Uint8Array,
  importing: KeyImport = importKey,
): Promise<boolean> {
  if (!fits(algorithm, key) || signature.length !== signatureLength(key)) return false;
  // No key, no valid signature.
  const imported = await importing(algorithm, key);
  return imported !== null && crypto.subtle.verify(algorithm.verifying, imported, signature, signed);
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
  if (magnitude.length > length) {
    throw new EncodingError("bad-encoding", "signature", `a scalar of at most ${length} bytes`, `${magnitude.length}`);
  }
  return concatBytes(new Uint8Array(length - magnitude.length), magnitude);
}
