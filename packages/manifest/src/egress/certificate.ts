import {
  DER_TAG,
  derChildren,
  type DerElement,
  derExpect,
  derRead,
  derSequence,
  EncodingError,
  equalBytes,
} from "@blindbox/encoding";

/** `[0] EXPLICIT`, constructed: the version of a certificate. */
const VERSION_TAG = 0xa0;

/**
 * Does `der` have the outline of an X.509 certificate (RFC 5280, section 4.1)? It does not check signature, validity or
 * extensions: whether the certificate is trusted is for whoever wrote it into the Manifest, and TLS reads the rest.
 */
export function isCertificate(der: Uint8Array): boolean {
  try {
    readOutline(der);
    return true;
  } catch (error) {
    if (error instanceof EncodingError) return false;
    throw error;
  }
}

function readOutline(der: Uint8Array): void {
  const [toBeSigned, algorithm, signature] = exactly(derSequence(derRead(der)), 3);
  derSequence(algorithm);
  derExpect(signature, DER_TAG.bitString);
  const members = derSequence(toBeSigned);
  const [serial, inner, issuer, validity, subject, key] = members[0]?.tag === VERSION_TAG ? members.slice(1) : members;
  derExpect(serial, DER_TAG.integer);
  for (const name of [issuer, subject]) derSequence(name);
  exactly(derSequence(validity), 2);
  const [keyAlgorithm, keyBits] = exactly(derSequence(key), 2);
  derSequence(keyAlgorithm);
  derExpect(keyBits, DER_TAG.bitString);
  if (!sameBytes(derExpect(inner, DER_TAG.sequence), algorithm)) throw outline("one signature algorithm", "two");
  if (members[0]?.tag === VERSION_TAG) readVersion(members[0]);
}

// Version 1 is the default and therefore not written; 2 has been out of use since there is 3.
function readVersion(element: DerElement): void {
  const version = derExpect(exactly(derChildren(element), 1)[0], DER_TAG.integer).contents;
  if (version.length !== 1 || version[0] !== 2) throw outline("version 3", "another one");
}

function exactly(elements: readonly DerElement[], count: number): readonly DerElement[] {
  if (elements.length === count) return elements;
  throw outline(`${count} elements`, `${elements.length}`);
}

function sameBytes(one: DerElement, other: DerElement | undefined): boolean {
  return other !== undefined && equalBytes(one.raw, other.raw);
}

function outline(expected: string, actual: string): EncodingError {
  return new EncodingError("bad-encoding", "certificate", expected, actual);
}
