/** Remembers signatures that were verified and keys that were imported: a chain seen before costs comparisons alone. */
import { equalBytes, toHex } from "@blindbox/encoding";
import type { SignatureAlgorithm } from "./algorithms.ts";
import { importKey, keyBytes, type KeyImport, type PublicKey } from "./public-key.ts";
import { verifyDerSignature } from "./signature.ts";

/** Whether `signature` is the key's over `signed`. */
export type SignatureCheck = (
  algorithm: SignatureAlgorithm,
  key: PublicKey,
  signature: Uint8Array,
  signed: Uint8Array,
) => Promise<boolean>;

/** A {@link SignatureCheck} that takes the key's import as a parameter: of the DER form or of the raw one. */
export type ImportingCheck = (...question: [...Parameters<SignatureCheck>, KeyImport]) => Promise<boolean>;

/** Far more than the chains and CRLs of the boxes that one client talks to. */
const maxKnown = 256;

/** How much they may take all together. Reports and certificates take about 1 KiB each; a CRL may be large. */
const maxBytes = 2 * 1024 * 1024;

/** What is longer is verified each time: one CRL must not push out everything else. */
const maxSigned = maxBytes / 4;

interface KnownSignature {
  readonly algorithm: SignatureAlgorithm;
  readonly key: Uint8Array;
  readonly signature: Uint8Array;
  readonly signed: Uint8Array;
}

/**
 * A {@link SignatureCheck} that asks WebCrypto once for the same key, algorithm, signature and bytes. It keeps one fact,
 * "this key made this signature over these bytes", which neither time nor policy changes: validity, revocation and the
 * CRLs' age are judged anew each time. All of it is kept and compared, not a digest. What did not verify is never kept.
 * The oldest entry makes room. `check` is {@link verifyDerSignature} unless the signatures are raw ones.
 */
export function rememberSignatures(check: ImportingCheck = verifyDerSignature): SignatureCheck {
  const known = new Map<string, KnownSignature>();
  const importing = rememberKeys();
  return async (algorithm, key, signature, signed) => {
    const question = { algorithm, key: keyBytes(key), signature, signed };
    const found = known.get(placeOf(question));
    if (found !== undefined && isSame(found, question)) return true;
    // Copies, and these are what is verified: what the caller does to its own bytes meanwhile must not change what is known.
    const copy = {
      algorithm,
      key: new Uint8Array(question.key),
      signature: new Uint8Array(signature),
      signed: new Uint8Array(signed),
    };
    const holds = await check(algorithm, key, copy.signature, copy.signed, importing);
    if (holds) keep(known, copy);
    return holds;
  };
}

/** Where an entry stands. Two entries with one place are told apart by {@link isSame}; the later one stays. */
function placeOf({ signature, signed }: KnownSignature): string {
  return `${toHex(signature.subarray(0, 32))} ${signature.length} ${signed.length}`;
}

function isSame(a: KnownSignature, b: KnownSignature): boolean {
  return (
    a.algorithm === b.algorithm &&
    equalBytes(a.key, b.key) &&
    equalBytes(a.signature, b.signature) &&
    equalBytes(a.signed, b.signed)
  );
}

function keep(known: Map<string, KnownSignature>, entry: KnownSignature): void {
  if (entry.signed.length > maxSigned) return;
  known.delete(placeOf(entry));
  known.set(placeOf(entry), entry);
  for (const oldest of known.keys()) {
    if (known.size <= maxKnown && sizeOf(known) <= maxBytes) return;
    known.delete(oldest);
  }
}

function sizeOf(known: ReadonlyMap<string, KnownSignature>): number {
  return [...known.values()].reduce((bytes, { signed }) => bytes + signed.length, 0);
}

/** Imports each key once a use, as long as the record of the key itself is kept by whoever parsed it. */
function rememberKeys(): KeyImport {
  const known = new WeakMap<PublicKey, Map<SignatureAlgorithm, Promise<SubtleCryptoKey | null>>>();
  return (algorithm, key) => {
    const uses = known.get(key) ?? new Map<SignatureAlgorithm, Promise<SubtleCryptoKey | null>>();
    const imported = uses.get(algorithm) ?? importKey(algorithm, key);
    known.set(key, uses.set(algorithm, imported));
    return imported;
  };
}
