/** Remembers signatures that were verified, so that a chain seen before costs hashes instead of curve arithmetic. */
import { concatBytes, digest, toHex, utf8 } from "@blindbox/encoding";
import type { SignatureAlgorithm } from "./algorithms.ts";
import { type PublicKey, verifyDerSignature } from "./signature.ts";

/** Whether `signature` (a DER Ecdsa-Sig-Value) is the key's over `signed`. */
export type SignatureCheck = typeof verifyDerSignature;

/** Far more than the chains and CRLs of the boxes that one client talks to; each costs about 100 bytes. */
const maxKnown = 256;

/**
 * A {@link SignatureCheck} that asks WebCrypto once for the same key, algorithm, signature and bytes. It keeps one fact,
 * "this key made this signature over these bytes", which neither time nor policy changes: validity, revocation and the
 * CRLs' age are judged anew each time. What did not verify is never kept. The oldest entry makes room.
 */
export function rememberSignatures(): SignatureCheck {
  const known = new Set<string>();
  return async (algorithm, key, signature, signed) => {
    const name = await nameOf(algorithm, key, signature, signed);
    if (known.has(name)) return true;
    const holds = await verifyDerSignature(algorithm, key, signature, signed);
    if (holds) keep(known, name);
    return holds;
  };
}

function keep(known: Set<string>, name: string): void {
  const [oldest] = known;
  if (known.size >= maxKnown && oldest !== undefined) known.delete(oldest);
  known.add(name);
}

/** A digest over all four parts, each of them hashed first, so that no byte can move from one to the next. */
async function nameOf(
  { oid, curve }: SignatureAlgorithm,
  key: PublicKey,
  signature: Uint8Array,
  signed: Uint8Array,
): Promise<string> {
  const parts = [utf8(`${oid} ${curve.name} ${key.curve.name}`), key.point, signature, signed];
  const digests = await Promise.all(parts.map((part) => digest("SHA-256", part)));
  return toHex(await digest("SHA-256", concatBytes(...digests)));
}
