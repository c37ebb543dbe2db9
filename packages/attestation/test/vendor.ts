/** A fake vendor: mints chains, CRLs and reports as a simulated device does, rightly or with one thing wrong. */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";
import { encodeSimulatedReportBody, type SimulatedReportBody } from "@blindbox/attestation";
import { bitString, boolean, enumerated, explicit, integer, name, octetString, oid, sequence, time } from "./der.ts";

/** Seconds since 1970 at which everything here is valid. */
export const NOW = 1_800_000_000;
const DAY = 86_400;

export type CurveName = "P-256" | "P-384";

/** A key pair with the one algorithm that it signs certificates with. */
export interface Keys {
  readonly privateKey: KeyObject;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** DER AlgorithmIdentifier. */
  readonly algorithm: Uint8Array;
  readonly sign: (body: Uint8Array) => Uint8Array;
}

export interface CurveKeys extends Keys {
  readonly curve: CurveName;
}

export function curveKeys(curve: CurveName): CurveKeys {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: curve });
  return {
    curve,
    privateKey,
    spki: new Uint8Array(publicKey.export({ type: "spki", format: "der" })),
    algorithm: algorithmOf(curve),
    sign: (body) => sign(hashOf[curve], body, privateKey),
  };
}

const hashOf = { "P-256": "sha256", "P-384": "sha384" } as const;
const ecdsaWith = { sha256: sequence(oid("1.2.840.10045.4.3.2")), sha384: sequence(oid("1.2.840.10045.4.3.3")) };

/** AlgorithmIdentifier of ECDSA with the hash of the curve's strength. */
export function algorithmOf(curve: CurveName): Uint8Array {
  return ecdsaWith[hashOf[curve]];
}

export interface Issuer {
  readonly subject: Uint8Array;
  readonly keys: Keys;
}

export interface Identity extends Issuer {
  readonly der: Uint8Array;
}

/** Every part of a certificate, so that each can be wrong. Parts that are DER are written as they are. */
export interface CertificateSpec {
  readonly version: Uint8Array;
  /** Hex. */
  readonly serial: string;
  readonly issuer: Issuer;
  readonly innerAlgorithm: Uint8Array | null;
  readonly outerAlgorithm: Uint8Array | null;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly subject: Uint8Array;
  readonly keys: Keys;
  readonly extensions: readonly Uint8Array[];
  /** What stands behind the extensions inside the signed part. */
  readonly behind: Uint8Array;
}

export function extension(id: string, critical: boolean, value: Uint8Array): Uint8Array {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value));
}

export function basicConstraints(ca: boolean, pathLength?: number): Uint8Array {
  const members = [...(ca ? [boolean(true)] : []), ...(pathLength === undefined ? [] : [integer(pathLength)])];
  return extension("2.5.29.19", true, sequence(...members));
}

/** `bits` are the named bits of RFC 5280, 4.2.1.3. */
export function keyUsage(...bits: readonly number[]): Uint8Array {
  const last = Math.max(...bits);
  const value = bits.reduce((all, bit) => all | (0x8000 >> bit), 0);
  const octets = last < 8 ? Uint8Array.of(value >> 8) : Uint8Array.of(value >> 8, value & 0xff);
  return extension("2.5.29.15", true, bitString(octets, 7 - (last % 8)));
}

const DIGITAL_SIGNATURE = 0;
const KEY_CERT_SIGN = 5;
const CRL_SIGN = 6;

export const leafUsage = keyUsage(DIGITAL_SIGNATURE);
export const caUsage = keyUsage(KEY_CERT_SIGN, CRL_SIGN);
export const certSignOnly = keyUsage(KEY_CERT_SIGN);
export const crlSignOnly = keyUsage(CRL_SIGN);

/** A critical extension that nobody knows. */
export const unknownCritical = extension("1.3.6.1.4.1.99999.1", true, Uint8Array.of(5, 0));

/** An extension that nobody knows and nobody has to. */
export const unknownNotCritical = extension("1.3.6.1.4.1.99999.2", false, Uint8Array.of(5, 0));

function signed(body: Uint8Array, outer: Uint8Array, { keys }: Issuer): Uint8Array {
  return sequence(body, outer, bitString(keys.sign(body)));
}

const version3 = explicit(0, integer(2));

export type CertificateRequest = Pick<CertificateSpec, "issuer" | "subject" | "keys"> & Partial<CertificateSpec>;

export function certificate(request: CertificateRequest): Uint8Array {
  const right = { version: version3, serial: "40", notBefore: NOW - DAY, notAfter: NOW + DAY, extensions: [leafUsage] };
  const spec = { ...right, innerAlgorithm: null, outerAlgorithm: null, behind: new Uint8Array(), ...request };
  const { algorithm } = spec.issuer.keys;
  const body = sequence(
    spec.version,
    integer(spec.serial),
    spec.innerAlgorithm ?? algorithm,
    spec.issuer.subject,
    sequence(time(spec.notBefore), time(spec.notAfter)),
    spec.subject,
    spec.keys.spki,
    ...(spec.extensions.length === 0 ? [] : [explicit(3, sequence(...spec.extensions))]),
    spec.behind,
  );
  return signed(body, spec.outerAlgorithm ?? algorithm, spec.issuer);
}

/** Every part of a CRL, so that each can be wrong. */
export interface CrlSpec {
  readonly version: Uint8Array;
  readonly issuer: Issuer;
  readonly innerAlgorithm: Uint8Array | null;
  readonly outerAlgorithm: Uint8Array | null;
  readonly thisUpdate: number;
  readonly nextUpdate: number | null;
  /** The list of revoked certificates, or nothing. */
  readonly revoked: Uint8Array;
  readonly extensions: readonly Uint8Array[];
}

export function crlNumber(value: number): Uint8Array {
  return extension("2.5.29.20", false, integer(value));
}

export function revokedList(...serials: readonly string[]): Uint8Array {
  const keyCompromise = extension("2.5.29.21", false, enumerated(1));
  return sequence(...serials.map((serial) => sequence(integer(serial), time(NOW - DAY), sequence(keyCompromise))));
}

export function crl(request: Pick<CrlSpec, "issuer"> & Partial<CrlSpec>): Uint8Array {
  const right = { version: integer(1), thisUpdate: NOW - 3600, nextUpdate: NOW + 3600, revoked: new Uint8Array() };
  const spec = { ...right, extensions: [crlNumber(7)], innerAlgorithm: null, outerAlgorithm: null, ...request };
  const { algorithm } = spec.issuer.keys;
  const body = sequence(
    spec.version,
    spec.innerAlgorithm ?? algorithm,
    spec.issuer.subject,
    time(spec.thisUpdate),
    spec.nextUpdate === null ? new Uint8Array() : time(spec.nextUpdate),
    spec.revoked,
    ...(spec.extensions.length === 0 ? [] : [explicit(0, sequence(...spec.extensions))]),
  );
  return signed(body, spec.outerAlgorithm ?? algorithm, spec.issuer);
}

/** What to mint differently. */
export interface VendorChange {
  readonly root?: Partial<CertificateSpec>;
  readonly intermediate?: Partial<CertificateSpec>;
  readonly device?: Partial<CertificateSpec>;
  readonly rootCrl?: Partial<CrlSpec>;
  readonly intermediateCrl?: Partial<CrlSpec>;
  /** Takes the parts of this vendor that are not changed, so that one thing differs. */
  readonly from?: Vendor;
}

export interface Vendor {
  readonly root: Identity;
  readonly intermediate: Identity;
  readonly device: Identity;
  readonly rootCrl: Uint8Array;
  readonly intermediateCrl: Uint8Array;
}

export const SERIALS = { root: "01", intermediate: "40a1", device: "00b2c3" } as const;

/** A whole chain with its CRLs, right but for `change`. */
export function mintVendor(change: VendorChange = {}, curve: CurveName = "P-384"): Vendor {
  const root = mintRoot(change, curve);
  const intermediate = identity(change.intermediate, {
    subject: name("Test intermediate"),
    issuer: root,
    serial: SERIALS.intermediate,
    extensions: [basicConstraints(true, 0), caUsage],
    keys: change.from?.intermediate.keys ?? curveKeys(curve),
  });
  const device = identity(change.device, {
    subject: name("Test device"),
    issuer: intermediate,
    serial: SERIALS.device,
    extensions: [basicConstraints(false), leafUsage],
    keys: change.from?.device.keys ?? curveKeys(curve),
  });
  const rootCrl = crl({ issuer: root, ...change.rootCrl });
  const intermediateCrl = crl({ issuer: intermediate, ...change.intermediateCrl });
  return { root, intermediate, device, rootCrl, intermediateCrl };
}

// A root that is not changed keeps its very bytes: it is the one that the asker has pinned.
function mintRoot(change: VendorChange, curve: CurveName): Identity {
  if (change.from !== undefined && change.root === undefined) return change.from.root;
  const own = { subject: name("Test root"), keys: change.from?.root.keys ?? curveKeys(curve) };
  const extensions = [basicConstraints(true, 1), caUsage];
  return identity(change.root, { ...own, issuer: own, serial: SERIALS.root, extensions });
}

function identity(change: Partial<CertificateSpec> = {}, request: CertificateRequest): Identity {
  const spec = { ...request, ...change };
  return { keys: spec.keys, subject: spec.subject, der: certificate(spec) };
}

/** Signs `body` as the device does: raw r and s behind it. */
export function signReport(body: Uint8Array, { privateKey }: Keys): Uint8Array {
  const signature = sign("sha384", body, { key: privateKey, dsaEncoding: "ieee-p1363" });
  return new Uint8Array(Buffer.concat([body, signature]));
}

/** A report of the device, its chip id right unless `fields` says otherwise. */
export function report(
  fields: Omit<SimulatedReportBody, "chipId"> & Partial<SimulatedReportBody>,
  keys: Keys,
): Uint8Array {
  return signReport(encodeSimulatedReportBody({ chipId: sha256(keys.spki), ...fields }), keys);
}

export function sha256(bytes: Uint8Array | string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

export function sha256Text(bytes: Uint8Array | string): string {
  return `sha256:${Buffer.from(sha256(bytes)).toString("hex")}`;
}

export function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

export function pem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

export function random(length: number): Uint8Array {
  return new Uint8Array(randomBytes(length));
}
