/** X.509 certificates (RFC 5280, section 4): DER bytes to a typed record. No trust. */
import {
  DER_TAG,
  derBitString,
  derExpect,
  derInteger,
  derRead,
  derTime,
  derUnsigned,
  EncodingError,
  equalBytes,
} from "@blindbox/encoding";
import type { DerElement } from "@blindbox/encoding";
import type { SignatureAlgorithm } from "./algorithms.ts";
import { CONTEXT_0, CONTEXT_3, openSequence, rawSequence, type Sequence } from "./der.ts";
import { parseBasicConstraints, parseExtensions, parseKeyUsage } from "./extensions.ts";
import type { BasicConstraints, Extension, KeyUsage } from "./extensions.ts";
import { parsePublicKey, type PublicKey } from "./public-key.ts";
import { parseSignatureAlgorithm } from "./signature.ts";

/** Longest certificate that is read: those of the vendors' chains take 600 to 1,800 bytes. */
const maxCertificateBytes = 8192;

/** A certificate as it stands, version 3 only. Names are raw DER: they are compared byte by byte. */
export interface Certificate {
  /** The part that is signed. */
  readonly signed: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
  /** DER Ecdsa-Sig-Value, or the bytes of RSA's. */
  readonly signature: Uint8Array;
  /** Big-endian, without leading zeros. */
  readonly serial: Uint8Array;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** Seconds since 1970, inclusive. */
  readonly notBefore: number;
  /** Seconds since 1970, inclusive. */
  readonly notAfter: number;
  readonly key: PublicKey;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  readonly extensions: readonly Extension[];
  readonly basicConstraints: BasicConstraints;
  /** `null` where the certificate does not restrict the key's use. */
  readonly keyUsage: KeyUsage | null;
}

/**
 * Reads one certificate, and nothing behind it.
 *
 * @throws EncodingError for whatever is not DER, not version 3, signed otherwise than it says inside, or not understood.
 */
export function parseCertificate(der: Uint8Array, field: string): Certificate {
  const { signed, algorithm, signature } = parseSigned(der, field, maxCertificateBytes);
  const members = openSequence(signed, `${field}.tbsCertificate`);
  expectVersion3(members.take(), field);
  const serial = derUnsigned(members.take(), `${field}.serialNumber`);
  const inner = members.take();
  const issuer = rawSequence(members.take(), `${field}.issuer`);
  const validity = parseValidity(members.take(), field);
  const subject = rawSequence(members.take(), `${field}.subject`);
  const keyInfo = members.take();
  const extensions = extensionsOf(members, field);
  return {
    signed: signed.raw,
    algorithm: sameAlgorithm(inner, algorithm, field),
    signature,
    serial,
    issuer,
    subject,
    ...validity,
    extensions,
    spki: rawSequence(keyInfo, `${field}.subjectPublicKeyInfo`),
    key: parsePublicKey(keyInfo, `${field}.subjectPublicKeyInfo`),
    basicConstraints: parseBasicConstraints(extensions),
    keyUsage: parseKeyUsage(extensions),
  };
}

/** The three parts that certificates and CRLs share: what is signed, by which algorithm, and the signature. */
export interface Signed {
  readonly signed: DerElement;
  readonly algorithm: DerElement;
  readonly signature: Uint8Array;
}

/** Reads a signed structure of at most `maxBytes`. */
export function parseSigned(der: Uint8Array, field: string, maxBytes: number): Signed {
  if (der.length > maxBytes) {
    throw new EncodingError("limit-exceeded", field, `at most ${maxBytes} bytes`, `${der.length} bytes`);
  }
  const members = openSequence(derRead(der, field), field);
  const signed = derExpect(members.take(), DER_TAG.sequence, field);
  const algorithm = derExpect(members.take(), DER_TAG.sequence, `${field}.signatureAlgorithm`);
  const signature = derBitString(members.take(), `${field}.signature`);
  members.end();
  return { signed, algorithm, signature };
}

/** The algorithm, which must be named alike in what is signed and beside it (RFC 5280, 4.1.1.2). */
export function sameAlgorithm(inner: DerElement | undefined, outer: DerElement, field: string): SignatureAlgorithm {
  const algorithm = parseSignatureAlgorithm(inner, `${field}.signature`);
  if (equalBytes(rawSequence(inner, `${field}.signature`), outer.raw)) return algorithm;
  throw new EncodingError("bad-encoding", `${field}.signature`, "the algorithm named outside", "another algorithm");
}

function expectVersion3(element: DerElement | undefined, field: string): void {
  const version = openSequence(element, `${field}.version`, CONTEXT_0);
  const number = derInteger(version.take(), `${field}.version`);
  version.end();
  if (number.length === 1 && number[0] === 2) return;
  throw new EncodingError("bad-encoding", `${field}.version`, "version 3", "another version");
}

function parseValidity(element: DerElement | undefined, field: string): { notBefore: number; notAfter: number } {
  const members = openSequence(element, `${field}.validity`);
  const notBefore = derTime(members.take(), `${field}.notBefore`);
  const notAfter = derTime(members.take(), `${field}.notAfter`);
  members.end();
  return { notBefore, notAfter };
}

// Unique identifiers (tags [1] and [2]) are of version 2 and unused: whatever stands before [3] is refused.
function extensionsOf(members: Sequence, field: string): readonly Extension[] {
  const wrapper = openSequence(members.take(), `${field}.extensions`, CONTEXT_3);
  members.end();
  const extensions = parseExtensions(wrapper.take(), `${field}.extensions`);
  wrapper.end();
  return extensions;
}
