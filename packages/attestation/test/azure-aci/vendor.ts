/** A fake Microsoft: mints endorsements of utility VMs, rightly or with one thing wrong. */
import { constants, sign } from "node:crypto";
import type { PinnedIssuer } from "../../src/azure-aci/roots.ts";
import { array, byteString, head, map, negative, tagged, text, unsigned, type Entry } from "../cbor-bytes.ts";
import { name, oid, sequence } from "../der.ts";
import { pkcs1Keys, pkcs1Sha384, rsaPair, type RsaPair } from "../rsa.ts";
import {
  base64url,
  basicConstraints,
  caUsage,
  certificate,
  extension,
  leafUsage,
  NOW,
  sha256,
  type CertificateRequest,
  type CertificateSpec,
  type Identity,
  type Keys,
} from "../vendor.ts";

const DAY = 86_400;

/** When the endorsement is signed: long before now, and the signer's certificate has ended since. */
export const SIGNED_AT = NOW - 1000 * DAY;

export const RANKS = ["root", "intermediate", "signer"] as const;
export type Rank = (typeof RANKS)[number];

export const PURPOSE = "1.3.6.1.4.1.99999.59.1.2";
export const FEED = "Test-AMD-UVM";

/** Every one within its issuer's time, each with an edge of its own around the time of signing. */
export const VALIDITY: Readonly<Record<Rank, { readonly notBefore: number; readonly notAfter: number }>> = {
  root: { notBefore: SIGNED_AT - 1000 * DAY, notAfter: SIGNED_AT + 5000 * DAY },
  intermediate: { notBefore: SIGNED_AT - 900 * DAY, notAfter: SIGNED_AT + 2000 * DAY },
  signer: { notBefore: SIGNED_AT - 30 * DAY, notAfter: SIGNED_AT + 335 * DAY },
};

export function purposes(...identifiers: readonly string[]): Uint8Array {
  return extension("2.5.29.37", false, sequence(...identifiers.map(oid)));
}

const extensions: Readonly<Record<Rank, readonly Uint8Array[]>> = {
  root: [basicConstraints(true), caUsage],
  intermediate: [basicConstraints(true), caUsage],
  signer: [leafUsage, purposes("1.3.6.1.4.1.99999.59.1.1", PURPOSE), basicConstraints(false)],
};

const pairs: Readonly<Record<Rank, RsaPair>> = { root: rsaPair(), intermediate: rsaPair(), signer: rsaPair() };

/** The pair signing certificates as Microsoft does. */
export function caKeys(pair: RsaPair): Keys {
  return pkcs1Keys(pair, pkcs1Sha384, "sha384");
}

export const keysOf: Readonly<Record<Rank, Keys>> = {
  root: caKeys(pairs.root),
  intermediate: caKeys(pairs.intermediate),
  signer: caKeys(pairs.signer),
};

export const foreignPair = rsaPair();

/** What to mint differently. */
export interface UvmChange {
  readonly certificates?: Partial<Record<Rank, Partial<CertificateSpec>>>;
  readonly issuer?: string;
  readonly feed?: string;
  readonly signingTime?: number;
  readonly contentType?: string;
  readonly measurement?: string;
  readonly svn?: string;
  /** Changes the DER of the chain, signer first. */
  readonly chain?: (chain: readonly Uint8Array[]) => readonly Uint8Array[];
  /** The text of the payload. */
  readonly payload?: string;
  /** Changes the protected header before it is signed. */
  readonly header?: (entries: readonly Entry[]) => readonly Entry[];
  readonly unprotected?: readonly Entry[];
  readonly signer?: Keys;
  readonly salt?: number;
  readonly hash?: string;
  readonly signature?: (signature: Uint8Array) => Uint8Array;
  readonly envelope?: (parts: readonly Uint8Array[]) => Uint8Array;
}

export interface UvmDocument {
  readonly bytes: Uint8Array;
  readonly identities: Readonly<Record<Rank, Identity>>;
}

export const MEASUREMENT = "2a".repeat(48);

function identity(rank: Rank, issuer: Identity | null, change: Partial<CertificateSpec> = {}): Identity {
  const own = { subject: change.subject ?? name(`Test ${rank}`), keys: change.keys ?? keysOf[rank] };
  const right: CertificateRequest = { ...own, issuer: issuer ?? own, extensions: extensions[rank], ...VALIDITY[rank] };
  const spec = { ...right, ...change };
  return { keys: spec.keys, subject: spec.subject, der: certificate(spec) };
}

// RSA with PKCS#1 gives the same bytes each time, so what is not changed stays what is pinned.
function mintChain(change: UvmChange["certificates"] = {}): Readonly<Record<Rank, Identity>> {
  const root = identity("root", null, change.root);
  const intermediate = identity("intermediate", root, change.intermediate);
  return { root, intermediate, signer: identity("signer", intermediate, change.signer) };
}

/** The did:x509 of a root and a purpose. */
export function didOf(root: Uint8Array, purpose: string = PURPOSE): string {
  return `did:x509:0:sha256:${base64url(sha256(root))}::eku:${purpose}`;
}

/** The issuer that the asker has pinned. */
export function fakeIssuers(root: Uint8Array = mintChain().root.der): readonly PinnedIssuer[] {
  return [{ did: didOf(root), rootSha256: Buffer.from(sha256(root)).toString("hex"), purpose: PURPOSE }];
}

function payloadOf({ measurement = MEASUREMENT, svn = "104" }: UvmChange): string {
  const members = { "x-ms-sevsnpvm-guestsvn": svn, "x-ms-sevsnpvm-launchmeasurement": measurement };
  return `\n${JSON.stringify(members, null, 2)}\n`;
}

/** The text of a payload with these members changed, or left out where they are undefined. */
export function payloadWith(change: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...(JSON.parse(payloadOf({})) as object), ...change });
}

/** An endorsement with its chain, right but for `change`. */
export function mintUvm(change: UvmChange = {}): UvmDocument {
  const identities = mintChain(change.certificates);
  const { root, intermediate, signer } = identities;
  const right = [signer.der, intermediate.der, root.der];
  const chain = (change.chain ?? same)(right);
  const entries: readonly Entry[] = [
    [unsigned(1), negative(-38)],
    [unsigned(3), text(change.contentType ?? "application/json")],
    [unsigned(33), array(...chain.map(byteString))],
    [unsigned(34), array(negative(-16), byteString(sha256(chain[0] ?? signer.der)))],
    [text("iss"), text(change.issuer ?? didOf(mintChain().root.der))],
    [text("feed"), text(change.feed ?? FEED)],
    [text("signingtime"), tagged(1, unsigned(change.signingTime ?? SIGNED_AT))],
  ];
  const header = map((change.header ?? same)(entries));
  const payload = Buffer.from(change.payload ?? payloadOf(change));
  const parts = [
    byteString(header),
    change.unprotected === undefined ? head(5, 0) : map(change.unprotected),
    byteString(payload),
    byteString((change.signature ?? same)(signatureOf(header, payload, change.signer ?? signer.keys, change))),
  ];
  return { bytes: new Uint8Array((change.envelope ?? ((items) => tagged(18, array(...items))))(parts)), identities };
}

function signatureOf(header: Uint8Array, payload: Uint8Array, { privateKey }: Keys, change: UvmChange): Uint8Array {
  const signed = array(text("Signature1"), byteString(header), byteString(new Uint8Array()), byteString(payload));
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return new Uint8Array(
    sign(change.hash ?? "sha384", signed, { key: privateKey, padding, saltLength: change.salt ?? 48 }),
  );
}

function same<T>(value: T): T {
  return value;
}
