/** Extensions of certificates and CRLs (RFC 5280, sections 4.2 and 5.2): strict reading, each at most once. */
import {
  DER_TAG,
  derBits,
  derBoolean,
  derOctetString,
  derOid,
  derRead,
  derSmallInteger,
  EncodingError,
  type DerElement,
} from "@blindbox/encoding";
import { openSequence } from "./der.ts";

/** One extension; `value` is the DER inside its OCTET STRING. */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** Object identifiers of the extensions that are acted on. A critical one that is not among them is refused. */
export const extensionOids = {
  keyUsage: "2.5.29.15",
  basicConstraints: "2.5.29.19",
  crlNumber: "2.5.29.20",
} as const;

/** Reads a SEQUENCE OF Extension: at least one, none twice. */
export function parseExtensions(element: DerElement | undefined, field: string): readonly Extension[] {
  const extensions = openSequence(element, field)
    .rest()
    .map((each) => parseExtension(each, field));
  const distinct = new Set(extensions.map((extension) => extension.oid));
  if (extensions.length > 0 && distinct.size === extensions.length) return extensions;
  throw new EncodingError("bad-encoding", field, "extensions, none of them twice", "none, or one twice");
}

function parseExtension(element: DerElement, field: string): Extension {
  const members = openSequence(element, field);
  const oid = derOid(members.take(), field);
  const critical = trueOrAbsent(members.takeIf(DER_TAG.boolean), `${field}.critical`);
  const value = derOctetString(members.take(), field);
  members.end();
  return { oid, critical, value };
}

// DER leaves a default out: an encoded FALSE is a second form of the same thing.
function trueOrAbsent(element: DerElement | null, field: string): boolean {
  if (element === null) return false;
  if (derBoolean(element, field)) return true;
  throw new EncodingError("bad-encoding", field, "TRUE, or nothing", "FALSE");
}

/** Object identifiers of critical extensions that nobody here acts on. */
export function unknownCritical(extensions: readonly Extension[], known: readonly string[]): readonly string[] {
  return extensions.filter(({ critical, oid }) => critical && !known.includes(oid)).map(({ oid }) => oid);
}

/** Whether the key may certify, and how many CAs may follow below it (`null`: any number). */
export interface BasicConstraints {
  readonly ca: boolean;
  readonly pathLength: number | null;
}

/** Reads basicConstraints; a certificate without them is no CA's (RFC 5280, 4.2.1.9). */
export function parseBasicConstraints(extensions: readonly Extension[]): BasicConstraints {
  const value = valueOf(extensions, extensionOids.basicConstraints);
  if (value === null) return { ca: false, pathLength: null };
  const members = openSequence(derRead(value, "basicConstraints"), "basicConstraints");
  const ca = trueOrAbsent(members.takeIf(DER_TAG.boolean), "basicConstraints.cA");
  const pathLength = members.takeIf(DER_TAG.integer);
  members.end();
  if (pathLength === null) return { ca, pathLength };
  if (ca) return { ca, pathLength: derSmallInteger(pathLength, "basicConstraints.pathLenConstraint") };
  throw new EncodingError("bad-encoding", "basicConstraints", "a path length of a CA only", "one without cA");
}

/** What a key may be used for. */
export interface KeyUsage {
  readonly digitalSignature: boolean;
  readonly keyCertSign: boolean;
  readonly crlSign: boolean;
}

/** Reads keyUsage; `null` where there is none. */
export function parseKeyUsage(extensions: readonly Extension[]): KeyUsage | null {
  const value = valueOf(extensions, extensionOids.keyUsage);
  if (value === null) return null;
  const { bytes } = derBits(derRead(value, "keyUsage"), "keyUsage");
  expectNamedBits(bytes);
  const bits = (bytes[0] ?? 0) * 256 + (bytes[1] ?? 0);
  const bit = (at: number): boolean => (bits & (0x8000 >> at)) !== 0;
  return { digitalSignature: bit(0), keyCertSign: bit(5), crlSign: bit(6) };
}

// DER drops trailing zero bits; AMD's intermediates keep one. It changes no bit's meaning, and their bytes are signed as they are.
function expectNamedBits(bytes: Uint8Array): void {
  if (bytes.length <= 2 && bytes.some((byte) => byte !== 0)) return;
  throw new EncodingError(
    "bad-encoding",
    "keyUsage",
    "one or two bytes of named bits, one of them set",
    "another form",
  );
}

/** The DER inside an extension; `null` where it is not there. */
export function valueOf(extensions: readonly Extension[], oid: string): Uint8Array | null {
  return extensions.find((extension) => extension.oid === oid)?.value ?? null;
}
