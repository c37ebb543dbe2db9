/** Certificates and CRLs of the simulated vendor, shaped like those of the real ones (RFC 5280). */
import { type KeyObject, randomBytes, type webcrypto } from "node:crypto";
import { fromHex } from "@blindbox/encoding";
import {
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509CertificateGenerator,
  X509CrlGenerator,
} from "../../x509.ts";

/** A P-384 key. */
export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** A key and the DER certificate for it. */
export interface Identity {
  readonly privateKey: KeyObject;
  readonly certificate: Uint8Array;
}

export interface ChainOf<T> {
  readonly root: T;
  readonly intermediate: T;
  readonly device: T;
}

const names: ChainOf<string> = {
  root: "CN=BlindBox simulated root",
  intermediate: "CN=BlindBox simulated intermediate",
  device: "CN=BlindBox simulated device",
};
const curve = { name: "ECDSA", namedCurve: "P-384" };
const signingAlgorithm = { name: "ECDSA", hash: "SHA-384" };
const hourMs = 3_600_000;
const certificateYears = 10;

const authorityUsage = KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign;

/** Certificates for three keys, from the root down; valid for ten years from an hour before `now`. */
export async function issueChain(keys: ChainOf<KeyPair>, now: number): Promise<ChainOf<Identity>> {
  const issue = (subject: keyof ChainOf<KeyPair>, issuer: keyof ChainOf<KeyPair>, extensions: Extension[]) =>
    certify({
      subject: names[subject],
      issuer: names[issuer],
      key: keys[subject],
      signer: keys[issuer],
      extensions,
      now,
    });
  return {
    root: await issue("root", "root", authority(1)),
    intermediate: await issue("intermediate", "root", authority(0)),
    device: await issue("device", "intermediate", [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    ]),
  };
}

function authority(pathLength: number): Extension[] {
  return [new BasicConstraintsExtension(true, pathLength, true), new KeyUsagesExtension(authorityUsage, true)];
}

interface CertificateRequest {
  readonly subject: string;
  readonly issuer: string;
  readonly key: KeyPair;
  readonly signer: KeyPair;
  readonly extensions: Extension[];
  readonly now: number;
}

async function certify({ subject, issuer, key, signer, extensions, now }: CertificateRequest): Promise<Identity> {
  const notAfter = new Date(now);
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + certificateYears);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject,
    issuer,
    notBefore: new Date(now - hourMs),
    notAfter,
    signingAlgorithm,
    publicKey: key.publicKey.toCryptoKey(curve, true, ["verify"]),
    signingKey: signingKey(signer.privateKey),
    extensions,
  });
  return { privateKey: key.privateKey, certificate: new Uint8Array(certificate.rawData) };
}

// The first byte is neither zero nor above 0x7f: the shortest form of a positive DER integer.
function serialNumber(): string {
  return `40${randomBytes(15).toString("hex")}`;
}

/** An empty, complete CRL, current from a minute before `now` for a day; its number is the time in seconds. */
export async function issueCrl(rank: "root" | "intermediate", key: KeyObject, now: number): Promise<Uint8Array> {
  const crl = await X509CrlGenerator.create({
    issuer: names[rank],
    thisUpdate: new Date(now - hourMs / 60),
    nextUpdate: new Date(now + 24 * hourMs),
    signingAlgorithm,
    signingKey: signingKey(key),
    extensions: [new Extension("2.5.29.20", false, derUnsigned(Math.floor(now / 1000)))],
  });
  return new Uint8Array(crl.rawData);
}

function signingKey(key: KeyObject): webcrypto.CryptoKey {
  return key.toCryptoKey(curve, false, ["sign"]);
}

// Five bytes hold every second until the year 36812, and a leading zero would not be the shortest form.
function derUnsigned(value: number): Uint8Array<ArrayBuffer> {
  const digits = value.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  const hex = Number.parseInt(even.slice(0, 2), 16) < 0x80 ? even : `00${even}`;
  return Uint8Array.from(fromHex(`02${(hex.length / 2).toString(16).padStart(2, "0")}${hex}`));
}
