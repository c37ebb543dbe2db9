/** The certificate of the key that signs reports (AMD 57230): its extensions to a typed record. No trust. */
import { DER_TAG, derExpect, derRead, derSmallInteger, derText, EncodingError } from "@blindbox/encoding";
import { commonNameOf, parseCertificate, type Certificate } from "../x509/index.ts";

const arcs = "1.3.6.1.4.1.3704.1.";

/** Longest name of a cloud: AWS's take 30 characters. */
const maxText = 256;

/** A VCEK (one chip's, derived from its TCB) or a VLEK (a cloud's, loaded into its chips), as it stands. */
export interface EndorsementKey {
  readonly certificate: Certificate;
  /** `null` where name and extensions do not agree on one. */
  readonly kind: "vcek" | "vlek" | null;
  readonly structVersion: number;
  readonly productName: string;
  /** Security versions by the last arcs of their extension, for example `3.8`. */
  readonly versions: ReadonlyMap<string, number>;
  /** The chip that the key is of. Raw bytes with no DER around them, whatever they start with. */
  readonly hwid: Uint8Array | null;
  /** The cloud that the key was given to. */
  readonly cspId: string | null;
}

/**
 * Reads the certificate of a VCEK or VLEK.
 *
 * @throws EncodingError where it is no certificate, or one of AMD's extensions is missing or not of its form.
 */
export function parseEndorsementKey(der: Uint8Array, field: string): EndorsementKey {
  const certificate = parseCertificate(der, field);
  const own = amdExtensions(certificate);
  const hwid = own.get("4") ?? null;
  const cspId = readCspId(own.get("5"), `${field}.cspId`);
  return {
    certificate,
    kind: kindOf(commonNameOf(certificate.subject), hwid, cspId),
    structVersion: smallInteger(own.get("1"), `${field}.structVersion`),
    productName: ia5Text(own.get("2"), `${field}.productName`),
    versions: readVersions(own, field),
    hwid,
    cspId,
  };
}

/** By what follows AMD's prefix. No extension stands twice: the certificate's reader refuses that. */
function amdExtensions({ extensions }: Certificate): ReadonlyMap<string, Uint8Array> {
  const own = extensions.filter(({ oid }) => oid.startsWith(arcs));
  return new Map(own.map(({ oid, value }) => [oid.slice(arcs.length), value]));
}

function kindOf(name: string | null, hwid: Uint8Array | null, cspId: string | null): EndorsementKey["kind"] {
  if (name === "SEV-VCEK" && hwid !== null && cspId === null) return "vcek";
  if (name === "SEV-VLEK" && hwid === null && cspId !== null) return "vlek";
  return null;
}

function readVersions(own: ReadonlyMap<string, Uint8Array>, field: string): ReadonlyMap<string, number> {
  const versions = [...own].filter(([arc]) => arc.startsWith("3."));
  return new Map(versions.map(([arc, value]) => [arc, smallInteger(value, `${field}.${arc}`)]));
}

/** An INTEGER that fits one byte of the report. */
function smallInteger(value: Uint8Array | undefined, field: string): number {
  const number = derSmallInteger(derRead(present(value, field), field), field);
  if (number <= 0xff) return number;
  throw new EncodingError("bad-encoding", field, "at most 255", `${number}`);
}

function ia5Text(value: Uint8Array | undefined, field: string): string {
  const text = derText(derExpect(derRead(present(value, field), field), DER_TAG.ia5String, field), field);
  // It is shown with a refusal too: nothing that steers a terminal.
  if (text.length <= maxText && /^[\x20-\x7e]+$/.test(text)) return text;
  throw new EncodingError("bad-encoding", field, `1 to ${maxText} printable characters`, `${text.length} characters`);
}

function present(value: Uint8Array | undefined, field: string): Uint8Array {
  if (value !== undefined) return value;
  throw new EncodingError("bad-encoding", field, "an extension of AMD's", "none");
}

function readCspId(value: Uint8Array | undefined, field: string): string | null {
  if (value === undefined) return null;
  return ia5Text(value, field);
}
