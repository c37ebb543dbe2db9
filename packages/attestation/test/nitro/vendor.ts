/** A fake AWS: mints chains and documents, rightly or with one thing wrong. */
import { sign } from "node:crypto";
import type { PinnedRoot } from "../../src/nitro/roots.ts";
import { name } from "../der.ts";
import {
  basicConstraints,
  caUsage,
  certificate,
  curveKeys,
  leafUsage,
  NOW,
  sha256,
  type CertificateRequest,
  type CertificateSpec,
  type Identity,
  type Keys,
} from "../vendor.ts";
import { array, byteString, bytesOrNull, head, indefiniteMap, map, text, unsigned, type Entry } from "../cbor-bytes.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;

/** From the root down; the last is the enclave's. */
export const RANKS = ["root", "regional", "zonal", "instance", "enclave"] as const;
export type Rank = (typeof RANKS)[number];

/** When each certificate is valid: every one within its issuer's time, each with an edge of its own. */
export const VALIDITY: Readonly<Record<Rank, { readonly notBefore: number; readonly notAfter: number }>> = {
  root: { notBefore: NOW - 1000 * DAY, notAfter: NOW + 1000 * DAY },
  regional: { notBefore: NOW - 10 * DAY, notAfter: NOW + 10 * DAY },
  zonal: { notBefore: NOW - 3 * DAY, notAfter: NOW + 3 * DAY },
  instance: { notBefore: NOW - 12 * HOUR, notAfter: NOW + 12 * HOUR },
  enclave: { notBefore: NOW - HOUR, notAfter: NOW + 2 * HOUR + 3 },
};

const extensions: Readonly<Record<Rank, readonly Uint8Array[]>> = {
  root: [basicConstraints(true), caUsage],
  regional: [basicConstraints(true, 2), caUsage],
  zonal: [basicConstraints(true, 1), caUsage],
  instance: [basicConstraints(true, 0), caUsage],
  enclave: [basicConstraints(false), leafUsage],
};

/** The keys of the fake AWS; certificates are signed anew for each change, keys stay. */
export const keysOf: Readonly<Record<Rank, Keys>> = {
  root: curveKeys("P-384"),
  regional: curveKeys("P-384"),
  zonal: curveKeys("P-384"),
  instance: curveKeys("P-384"),
  enclave: curveKeys("P-384"),
};

/** What a document says. */
export interface DocumentFields {
  readonly moduleId: string;
  readonly digest: string;
  /** Milliseconds. */
  readonly timestamp: number;
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  readonly publicKey: Uint8Array | null;
  readonly userData: Uint8Array | null;
  readonly nonce: Uint8Array | null;
}

/** The four parts of COSE_Sign1 as items. */
export interface CoseParts {
  readonly protected: Uint8Array;
  readonly unprotected: Uint8Array;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** What to mint differently. */
export interface AwsChange extends Partial<DocumentFields> {
  readonly certificates?: Partial<Record<Rank, Partial<CertificateSpec>>>;
  /** Changes the DER of the bundle, root first, before the document is signed. */
  readonly cabundle?: (bundle: readonly Uint8Array[]) => readonly Uint8Array[];
  /** Changes the DER of the enclave's certificate in the document. */
  readonly certificate?: (der: Uint8Array) => Uint8Array;
  /** Changes the members of the document before it is signed. */
  readonly members?: (members: readonly Entry[]) => readonly Entry[];
  readonly definite?: boolean;
  /** Changes the document's bytes before it is signed. */
  readonly payload?: (payload: Uint8Array) => Uint8Array;
  /** The contents of the protected header, before the document is signed. */
  readonly header?: Uint8Array;
  readonly signer?: Keys;
  /** Changes the raw signature. */
  readonly signature?: (signature: Uint8Array) => Uint8Array;
  /** Puts the message together from its items, after it was signed. */
  readonly envelope?: (parts: CoseParts) => Uint8Array;
}

export interface AwsDocument {
  readonly bytes: Uint8Array;
  readonly identities: Readonly<Record<Rank, Identity>>;
}

/** `{1: -35}`. */
export const ES384_HEADER: Uint8Array = Uint8Array.of(0xa1, 1, 0x38, 34);

export const PCRS: ReadonlyMap<number, Uint8Array> = new Map(
  Array.from({ length: 16 }, (_, index) => [
    index,
    new Uint8Array(48).fill([0, 1, 2, 4].includes(index) ? 0x10 + index : 0),
  ]),
);

/** All PCRs, these ones changed. */
export function pcrsWith(change: Readonly<Record<number, Uint8Array>>): ReadonlyMap<number, Uint8Array> {
  return new Map([...PCRS, ...Object.entries(change).map(([index, pcr]) => [Number(index), pcr] as const)]);
}

export const rightFields: DocumentFields = {
  moduleId: "i-0123456789abcdef0-enc0123456789abcdef0",
  digest: "SHA384",
  timestamp: NOW * 1000 - 500,
  pcrs: PCRS,
  publicKey: null,
  userData: new Uint8Array(64).fill(0x77),
  nonce: null,
};

type Chain = Readonly<Record<Rank, Identity>>;

let unchanged: Chain | null = null;

/** The chain that is right is always the same, as that of an enclave is for hours. */
function chainOf(change: AwsChange["certificates"]): Chain {
  if (change !== undefined) return mintChain(change);
  unchanged ??= mintChain({});
  return unchanged;
}

function mintChain(change: NonNullable<AwsChange["certificates"]>): Chain {
  const root = identity("root", null, change.root);
  const regional = identity("regional", root, change.regional);
  const zonal = identity("zonal", regional, change.zonal);
  const instance = identity("instance", zonal, change.instance);
  return { root, regional, zonal, instance, enclave: identity("enclave", instance, change.enclave) };
}

function identity(rank: Rank, issuer: Identity | null, change: Partial<CertificateSpec> = {}): Identity {
  const own = { subject: change.subject ?? name(`Test ${rank}`), keys: change.keys ?? keysOf[rank] };
  const right: CertificateRequest = { ...own, issuer: issuer ?? own, extensions: extensions[rank], ...VALIDITY[rank] };
  // A root that is not changed keeps its very bytes: it is the one that the asker has pinned.
  if (rank === "root" && Object.keys(change).length === 0) return pinnedRoot(right);
  const spec = { ...right, ...change };
  return { keys: spec.keys, subject: spec.subject, der: certificate(spec) };
}

let pinned: Identity | null = null;

function pinnedRoot(right: CertificateRequest): Identity {
  pinned ??= { keys: right.keys, subject: right.subject, der: certificate(right) };
  return pinned;
}

/** The pin of the fake AWS's root. */
export function fakeRoots(): readonly PinnedRoot[] {
  return [Buffer.from(sha256(chainOf(undefined).root.der)).toString("hex")];
}

export function membersOf(fields: DocumentFields, bundle: readonly Uint8Array[], leaf: Uint8Array): readonly Entry[] {
  return [
    [text("module_id"), text(fields.moduleId)],
    [text("digest"), text(fields.digest)],
    [text("timestamp"), unsigned(fields.timestamp)],
    [text("pcrs"), map([...fields.pcrs].map(([index, pcr]) => [unsigned(index), byteString(pcr)]))],
    [text("certificate"), byteString(leaf)],
    [text("cabundle"), array(...bundle.map(byteString))],
    [text("public_key"), bytesOrNull(fields.publicKey)],
    [text("user_data"), bytesOrNull(fields.userData)],
    [text("nonce"), bytesOrNull(fields.nonce)],
  ];
}

/** Raw r and s over the Sig_structure. */
export function coseSignature(header: Uint8Array, payload: Uint8Array, { privateKey }: Keys): Uint8Array {
  const signed = array(text("Signature1"), byteString(header), byteString(new Uint8Array()), byteString(payload));
  return new Uint8Array(sign("sha384", signed, { key: privateKey, dsaEncoding: "ieee-p1363" }));
}

/** A document with its chain, right but for `change`. */
export function mintAws(change: AwsChange = {}): AwsDocument {
  const identities = chainOf(change.certificates);
  const { root, regional, zonal, instance, enclave } = identities;
  const bundle = (change.cabundle ?? same)([root.der, regional.der, zonal.der, instance.der]);
  const members = membersOf({ ...rightFields, ...change }, bundle, (change.certificate ?? same)(enclave.der));
  const write = change.definite === true ? map : indefiniteMap;
  const payload = (change.payload ?? same)(write((change.members ?? same)(members)));
  const header = change.header ?? ES384_HEADER;
  const signature = (change.signature ?? same)(coseSignature(header, payload, change.signer ?? enclave.keys));
  const parts: CoseParts = {
    protected: byteString(header),
    unprotected: head(5, 0),
    payload: byteString(payload),
    signature: byteString(signature),
  };
  return { bytes: new Uint8Array((change.envelope ?? envelope)(parts)), identities };
}

/** COSE_Sign1 without its tag, as the module writes it. */
export function envelope(parts: CoseParts): Uint8Array {
  return array(parts.protected, parts.unprotected, parts.payload, parts.signature);
}

function same<T>(value: T): T {
  return value;
}
