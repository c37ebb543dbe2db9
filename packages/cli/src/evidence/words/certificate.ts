/** Certificates in words: whose key it is, by whom, until when; of AMD's keys, for which chip and TCB. */
import { X509Certificate } from "node:crypto";
import { parseEndorsementKey, type EndorsementKey } from "@blindbox/attestation";
import { EncodingError, toHex } from "@blindbox/encoding";
import type { Facts, Field, Inspection, Line, Section, SectionWords } from "../inspection.ts";
import { sectionsOf } from "../inspection.ts";
import { isoOf, line, unlessZero, plain } from "./values.ts";

/** A certificate by node:crypto, which reads more kinds than the verifier lets pass; `null` where it reads none. */
export function certificateOf(der: Uint8Array): X509Certificate | null {
  try {
    return new X509Certificate(der);
  } catch {
    return null;
  }
}

/** Everything that a certificate says. @throws EncodingError where it is none. */
export function inspectCertificate(der: Uint8Array): Inspection {
  const certificate = certificateOf(der);
  if (certificate === null) throw new EncodingError("bad-encoding", "certificate", "X.509 in DER", "something else");
  const amd = amdFacts(der);
  const facts = { ...certificateFacts(certificate), ...amd };
  const title =
    amd === null ? "X.509 certificate" : `certificate of an AMD key that signs reports (${plain(amd["amdKind"])})`;
  return { kind: "certificate", title, sections: sectionsOf(facts, [certificateWords, amdWords]), inside: [] };
}

/** One section for the certificates that come inside Evidence, a line or two each. */
export function certificateSection(title: string, certificates: readonly Uint8Array[]): Section {
  return { title, fields: certificates.map(briefly) };
}

/** The certificates in PEM anywhere in some bytes. */
export function pemCertificatesIn(bytes: Uint8Array): readonly Uint8Array[] {
  const text = Buffer.from(bytes).toString("latin1");
  const blocks = text.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g);
  return [...blocks].map(([, body = ""]) => new Uint8Array(Buffer.from(body, "base64")));
}

function briefly(der: Uint8Array, at: number): Field {
  const certificate = certificateOf(der);
  const name = `certificate${at}`;
  const label = at === 0 ? "leaf" : `issuer ${at}`;
  const means = "";
  if (certificate === null) return { name, label, value: toHex(der), lines: [line("not readable", "bad")], means };
  const facts = certificateFacts(certificate);
  const validity = `${plain(facts["notBefore"])} to ${plain(facts["notAfter"])}`;
  const lines: readonly Line[] = [line(plain(facts["subject"])), line(`${validity}, ${plain(facts["key"])}`)];
  return { name, label, value: { ...facts }, lines, means };
}

function certificateFacts(certificate: X509Certificate): Facts {
  const { subject, issuer, serialNumber, validFrom, validTo, ca, fingerprint256 } = certificate;
  return {
    subject: oneLine(subject),
    issuer: oneLine(issuer),
    serial: serialNumber.toLowerCase(),
    notBefore: isoOf(Date.parse(validFrom)),
    notAfter: isoOf(Date.parse(validTo)),
    key: keyWords(certificate),
    ca,
    sha256: fingerprint256.replaceAll(":", "").toLowerCase(),
  };
}

function oneLine(name: string): string {
  return name === "" ? "empty" : name.split("\n").join(", ");
}

function keyWords(certificate: X509Certificate): string {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
    const { modulusLength, namedCurve } = asymmetricKeyDetails ?? {};
    return [asymmetricKeyType, modulusLength, namedCurve].filter((part) => part !== undefined).join(" ");
  } catch {
    return "of a kind that is not known here";
  }
}

const componentOf: ReadonlyMap<string, string> = new Map([
  ["3.9", "FMC"],
  ["3.1", "boot loader"],
  ["3.2", "TEE"],
  ["3.3", "SNP firmware"],
  ["3.8", "microcode"],
]);

/** What only AMD's certificates of reports' keys say; `null` for every other certificate. */
function amdFacts(der: Uint8Array): Facts | null {
  try {
    const { kind, productName, versions, hwid, cspId }: EndorsementKey = parseEndorsementKey(der, "certificate");
    const named = [...componentOf].filter(([arc]) => versions.has(arc));
    return {
      amdKind: kind?.toUpperCase() ?? "neither VCEK nor VLEK",
      amdProduct: productName,
      amdTcb: named.map(([arc, name]) => `${name} ${versions.get(arc)}`).join(", "),
      ...(hwid === null ? {} : { hwid: toHex(hwid) }),
      ...(cspId === null ? {} : { cspId }),
    };
  } catch (error) {
    if (error instanceof EncodingError) return null;
    throw error;
  }
}

const certificateWords: SectionWords = {
  title: "the certificate",
  rows: [
    ["subject", "subject", "Whose key it is, by what the issuer says."],
    [
      "issuer",
      "issuer",
      "Who says so. Anybody can write a vendor's name here: the signature under a pinned root decides.",
    ],
    ["serial", "serial number", "By which the issuer's CRL names it where it is revoked."],
    ["notBefore", "valid from", "Before this it counts for nothing."],
    ["notAfter", "valid until", "After this it counts for nothing."],
    ["key", "public key", "Kind and size of the key."],
    ["ca", "may issue", "Whether certificates that this key signs count for anything."],
    ["sha256", "SHA-256", "Digest of these very bytes: roots are pinned by it."],
  ],
};

const amdWords: SectionWords = {
  title: "what AMD certifies of the key",
  rows: [
    ["amdKind", "kind", "VCEK: one chip's, derived from its TCB. VLEK: one that AMD gave a cloud for its chips."],
    ["amdProduct", "product", "Line of processors."],
    ["amdTcb", "TCB", "The versions that the key was derived from: a report has to name the same as REPORTED_TCB."],
    ["hwid", "hardware id", "The chip: a report has to name the same as CHIP_ID.", unlessZero("no chip has it", "bad")],
    ["cspId", "cloud", "Whom AMD gave the key to."],
  ],
};
