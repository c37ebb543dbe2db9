/** A fake AMD: mints chains, CRLs and reports of each product and version, rightly or with one thing wrong. */
import type { JsonValue } from "@blindbox/encoding";
import type { AmdProduct } from "../../src/sev-snp/products.ts";
import type { PinnedRoot } from "../../src/sev-snp/roots.ts";
import { element, integer, name, octetString, oid, sequence } from "../der.ts";
import { pssKeys, rsaPair } from "../rsa.ts";
import {
  base64url,
  basicConstraints,
  caUsage,
  certificate,
  certSignOnly,
  crl,
  crlNumber,
  curveKeys,
  NOW,
  sha256,
  type CertificateSpec,
  type CrlSpec,
  type Identity,
  type Keys,
} from "../vendor.ts";
import { signedReport, unsignedReport, type ReportFields, type Tcb } from "./report.ts";

export type KeyKind = "vcek" | "vlek";

/** What the fake AMD knows of a product, by its own table. */
interface ProductSpec {
  readonly name: string;
  readonly cpuid: readonly [number, number, number];
  readonly tcb: Tcb;
  /** Arcs of the TCB's 8 bytes. */
  readonly arcs: readonly string[];
  readonly structVersion: number;
  readonly hwidLength: number;
}

const untilGenoa = ["3.1", "3.2", "3.4", "3.5", "3.6", "3.7", "3.3", "3.8"];
const fromTurin = ["3.9", "3.1", "3.2", "3.3", "3.5", "3.6", "3.7", "3.8"];

export const products: Readonly<Record<AmdProduct, ProductSpec>> = {
  milan: {
    name: "Milan",
    cpuid: [0x19, 1, 1],
    tcb: [4, 0, 0, 0, 0, 0, 0x18, 0xdb],
    arcs: untilGenoa,
    structVersion: 0,
    hwidLength: 64,
  },
  genoa: {
    name: "Genoa",
    cpuid: [0x19, 0x11, 1],
    tcb: [10, 0, 0, 0, 0, 0, 0x17, 0x54],
    arcs: untilGenoa,
    structVersion: 0,
    hwidLength: 64,
  },
  turin: {
    name: "Turin",
    cpuid: [0x1a, 2, 1],
    tcb: [1, 1, 1, 4, 0, 0, 0, 0x51],
    arcs: fromTurin,
    structVersion: 1,
    hwidLength: 8,
  },
};

const minted = new Map<string, Keys>();

/** Keys are made once a name: RSA takes its time. 2048 bits where AMD has 4096. */
function keysOf(who: string): Keys {
  const keys = minted.get(who) ?? pssKeys(rsaPair());
  minted.set(who, keys);
  return keys;
}

export const ekKeys = curveKeys("P-384");
export const MA_NONE: Uint8Array = new Uint8Array(32).fill(0xff);

/** A chip id that starts as a DER OCTET STRING would: nobody may read it as one. */
export function chipIdOf(product: AmdProduct): Uint8Array {
  const used = new Uint8Array(products[product].hwidLength).fill(0x5a);
  used.set([0x04, 0x3e]);
  return used;
}

function ia5(text: string): Uint8Array {
  return element(0x16, Buffer.from(text));
}

export function amdExtension(arc: string, value: Uint8Array): Uint8Array {
  return sequence(oid(`1.3.6.1.4.1.3704.1.${arc}`), octetString(value));
}

/** What an EK's certificate says. `extra` stands behind the extensions; `drop` leaves extensions out by their arcs. */
export interface EkSpec {
  readonly commonName: string;
  readonly structVersion: number;
  readonly productName: string;
  readonly tcb: Tcb;
  readonly arcs: readonly string[];
  readonly hwid: Uint8Array | null;
  readonly cspId: string | null;
  readonly drop: readonly string[];
  readonly extra: readonly Uint8Array[];
}

function ekExtensions(spec: EkSpec): readonly Uint8Array[] {
  const all: readonly (readonly [string, Uint8Array])[] = [
    ["1", integer(spec.structVersion)],
    ["2", ia5(spec.productName)],
    ...spec.arcs.map((arc, at) => [arc, integer(spec.tcb[at] ?? 0)] as const),
    ...(spec.hwid === null ? [] : [["4", spec.hwid] as const]),
    ...(spec.cspId === null ? [] : [["5", ia5(spec.cspId)] as const]),
  ];
  const kept = all.filter(([arc]) => !spec.drop.includes(arc));
  return [...kept.map(([arc, value]) => amdExtension(arc, value)), ...spec.extra];
}

export const CLOUD = "CN=cc-us-east-2.example";

/** What to mint differently. */
export interface AmdChange {
  readonly product?: AmdProduct;
  readonly kind?: KeyKind;
  readonly version?: number;
  readonly root?: Partial<CertificateSpec>;
  readonly issuer?: Partial<CertificateSpec>;
  readonly ek?: Partial<EkSpec>;
  readonly ekCertificate?: Partial<CertificateSpec>;
  readonly crl?: Partial<CrlSpec>;
  readonly report?: Partial<ReportFields>;
  /** Changes the report before it is signed. */
  readonly unsigned?: (report: Uint8Array) => Uint8Array;
  /** Changes the report after it was signed. */
  readonly evidence?: (report: Uint8Array) => Uint8Array;
  /** What stands in the place of the right ones; anything at all. */
  readonly endorsements?: (right: AmdEndorsements) => unknown;
  /** Whose key signs the report. */
  readonly signer?: Keys;
}

export interface AmdEndorsements {
  readonly crls: readonly string[];
  readonly ek: string | null;
  readonly issuers: readonly string[];
  readonly uvm: string | null;
}

export interface AmdEvidence {
  readonly bytes: Uint8Array;
  readonly endorsements: JsonValue;
  readonly ark: Identity;
  readonly issuer: Identity;
  readonly ek: Uint8Array;
  readonly crl: Uint8Array;
}

function arkOf(product: AmdProduct, change: Partial<CertificateSpec> = {}): Identity {
  const own = { subject: name(`ARK-${products[product].name}`), keys: keysOf(`ark-${product}`) };
  const spec = { ...own, issuer: own, serial: "010000", extensions: [caUsage, basicConstraints(true)], ...change };
  return { keys: spec.keys, subject: spec.subject, der: certificate(spec) };
}

function issuerOf(product: AmdProduct, kind: KeyKind, ark: Identity, change: Partial<CertificateSpec> = {}): Identity {
  const commonName = `SEV-${kind === "vlek" ? "VLEK-" : ""}${products[product].name}`;
  const extensions = [basicConstraints(true, 0), certSignOnly];
  const own = { subject: name(commonName), keys: keysOf(`${kind}-${product}`), serial: "010001" };
  const spec = { ...own, issuer: ark, extensions, ...change };
  return { keys: spec.keys, subject: spec.subject, der: certificate(spec) };
}

const roots = new Map<AmdProduct, Identity>();

/** The root that the asker has pinned, always the same. */
export function pinnedArk(product: AmdProduct): Identity {
  const known = roots.get(product) ?? arkOf(product);
  roots.set(product, known);
  return known;
}

/** The pins of the fake AMD's roots. */
export function fakeRoots(): readonly PinnedRoot[] {
  return (["milan", "genoa", "turin"] as const).map((product) => ({
    product,
    sha256: Buffer.from(sha256(pinnedArk(product).der)).toString("hex"),
    issuers: [],
  }));
}

export function reportFields(product: AmdProduct, kind: KeyKind, version: number): ReportFields {
  const { tcb, cpuid } = products[product];
  const chipId = new Uint8Array(64);
  if (kind === "vcek") chipId.set(chipIdOf(product));
  return {
    version,
    guestSvn: 0,
    policy: 0x30000n,
    vmpl: 0,
    signatureAlgorithm: 1,
    currentTcb: tcb,
    platformInfo: 0x25n,
    keyInfo: kind === "vlek" ? 4 : 0,
    reportData: new Uint8Array(64).fill(0x11),
    measurement: new Uint8Array(48).fill(0x22),
    hostData: new Uint8Array(32).fill(0x33),
    idKeyDigest: new Uint8Array(48),
    authorKeyDigest: new Uint8Array(48),
    reportIdMa: MA_NONE,
    reportedTcb: tcb,
    cpuid,
    chipId,
    committedTcb: tcb,
    launchTcb: tcb,
    mitigations: 0x3fn,
  };
}

function ekOf(product: AmdProduct, kind: KeyKind, issuer: Identity, change: AmdChange): Uint8Array {
  const { name: productName, tcb, arcs, structVersion } = products[product];
  const spec: EkSpec = {
    commonName: kind === "vcek" ? "SEV-VCEK" : "SEV-VLEK",
    structVersion,
    productName,
    tcb,
    arcs,
    hwid: kind === "vcek" ? chipIdOf(product) : null,
    cspId: kind === "vlek" ? CLOUD : null,
    drop: [],
    extra: [],
    ...change.ek,
  };
  return certificate({
    issuer,
    subject: name(spec.commonName),
    keys: ekKeys,
    serial: "00",
    extensions: ekExtensions(spec),
    ...change.ekCertificate,
  });
}

/** A report with everything that endorses it, right but for `change`. */
export function mintEvidence(change: AmdChange = {}): AmdEvidence {
  const { product = "milan", kind = "vcek", version = 3 } = change;
  const ark = change.root === undefined ? pinnedArk(product) : arkOf(product, change.root);
  const issuer = issuerOf(product, kind, ark, change.issuer);
  const ek = ekOf(product, kind, issuer, change);
  const list = crl({
    issuer: ark,
    thisUpdate: NOW - 3600,
    nextUpdate: NOW + 3600,
    extensions: [crlNumber(6)],
    ...change.crl,
  });
  const fields = { ...reportFields(product, kind, version), ...change.report };
  const unsigned = (change.unsigned ?? same)(unsignedReport(fields));
  const bytes = (change.evidence ?? same)(signedReport(unsigned, (change.signer ?? ekKeys).privateKey));
  const right: AmdEndorsements = {
    crls: [base64url(list)],
    ek: base64url(ek),
    issuers: [base64url(issuer.der), base64url(ark.der)],
    uvm: null,
  };
  const endorsements = (change.endorsements ?? same)(right) as JsonValue;
  return { bytes, endorsements, ark, issuer, ek, crl: list };
}

function same<T>(value: T): T {
  return value;
}
