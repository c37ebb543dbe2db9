/** Certificate revocation lists (RFC 5280, section 5): DER bytes to a typed record. No trust. */
import {
  DER_TAG,
  derInteger,
  derRead,
  derSmallInteger,
  derTime,
  derUnsigned,
  EncodingError,
  toHex,
} from "@blindbox/encoding";
import type { DerElement } from "@blindbox/encoding";
import type { SignatureAlgorithm } from "./algorithms.ts";
import { parseSigned, sameAlgorithm } from "./certificate.ts";
import { CONTEXT_0, openSequence, rawSequence, type Sequence } from "./der.ts";
import { extensionOids, parseExtensions, unknownCritical, valueOf, type Extension } from "./extensions.ts";

/** Longest CRL that is read: the vendors' take 400 bytes to some KiB; room for ten thousand entries. */
const maxCrlBytes = 512 * 1024;

/** A complete CRL, version 2 only. */
export interface Crl {
  /** The part that is signed. */
  readonly signed: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
  /** DER Ecdsa-Sig-Value, or the bytes of RSA's. */
  readonly signature: Uint8Array;
  /** Raw DER Name. */
  readonly issuer: Uint8Array;
  /** Seconds since 1970. */
  readonly thisUpdate: number;
  /** Seconds since 1970. */
  readonly nextUpdate: number;
  /** `null` where it has none, which RFC 5280 does not allow: the check of its number then fails. */
  readonly number: number | null;
  /** Serial numbers that are revoked, in lower-case hex, without leading zeros. */
  readonly revoked: ReadonlySet<string>;
  readonly extensions: readonly Extension[];
}

/**
 * Reads one CRL, and nothing behind it. thisUpdate and nextUpdate must both be there.
 *
 * @throws EncodingError for whatever is not DER, not version 2, signed otherwise than it says inside, or not understood
 * (indirect CRLs among it, whose entries carry a critical extension).
 */
export function parseCrl(der: Uint8Array, field: string): Crl {
  const { signed, algorithm, signature } = parseSigned(der, field, maxCrlBytes);
  const members = openSequence(signed, `${field}.tbsCertList`);
  expectVersion2(members.take(), field);
  const inner = members.take();
  const issuer = rawSequence(members.take(), `${field}.issuer`);
  const thisUpdate = derTime(members.take(), `${field}.thisUpdate`);
  const nextUpdate = derTime(members.take(), `${field}.nextUpdate`);
  const revoked = parseRevoked(members.takeIf(DER_TAG.sequence), field);
  const extensions = extensionsOf(members, field);
  return {
    signed: signed.raw,
    algorithm: sameAlgorithm(inner, algorithm, field),
    signature,
    issuer,
    thisUpdate,
    nextUpdate,
    revoked,
    extensions,
    number: crlNumber(extensions, field),
  };
}

function expectVersion2(element: DerElement | undefined, field: string): void {
  const number = derInteger(element, `${field}.version`);
  if (number.length === 1 && number[0] === 1) return;
  throw new EncodingError("bad-encoding", `${field}.version`, "version 2", "another version");
}

function extensionsOf(members: Sequence, field: string): readonly Extension[] {
  const element = members.takeIf(CONTEXT_0);
  members.end();
  if (element === null) return [];
  const wrapper = openSequence(element, `${field}.crlExtensions`, CONTEXT_0);
  const extensions = parseExtensions(wrapper.take(), `${field}.crlExtensions`);
  wrapper.end();
  return extensions;
}

function crlNumber(extensions: readonly Extension[], field: string): number | null {
  const value = valueOf(extensions, extensionOids.crlNumber);
  return value === null ? null : derSmallInteger(derRead(value, `${field}.crlNumber`), `${field}.crlNumber`);
}

// The list is absent where nothing is revoked: an empty one is a second form of the same CRL (RFC 5280, 5.1.2.6).
function parseRevoked(list: DerElement | null, field: string): ReadonlySet<string> {
  if (list === null) return new Set();
  const entries = openSequence(list, `${field}.revokedCertificates`).rest();
  if (entries.length > 0) return new Set(entries.map((entry) => parseEntry(entry, field)));
  throw new EncodingError("bad-encoding", `${field}.revokedCertificates`, "entries, or no list", "an empty list");
}

// A reason changes nothing: whatever is listed is revoked, on hold as well.
function parseEntry(entry: DerElement, field: string): string {
  const members = openSequence(entry, `${field}.entry`);
  const serial = toHex(derUnsigned(members.take(), `${field}.userCertificate`));
  derTime(members.take(), `${field}.revocationDate`);
  const extensions = members.takeIf(DER_TAG.sequence);
  members.end();
  const unknown = extensions === null ? [] : unknownCritical(parseExtensions(extensions, `${field}.entry`), []);
  if (unknown.length === 0) return serial;
  throw new EncodingError("bad-encoding", `${field}.entry`, "no unknown critical extension", unknown.join(", "));
}
