/** The bytes of TD quotes, field by field, so that each can be wrong. */
import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { curveKeys, pem, random, type CurveKeys } from "../vendor.ts";

/** A key as the quote carries it: x and y. */
export interface RawKeys {
  readonly privateKey: KeyObject;
  readonly raw: Uint8Array;
}

export function rawKeys(): RawKeys {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  return { privateKey, raw: Buffer.concat([Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]) };
}

/** r and s, big-endian. */
export function rawSignature(privateKey: KeyObject, bytes: Uint8Array): Uint8Array {
  return sign("sha256", bytes, { key: privateKey, dsaEncoding: "ieee-p1363" });
}

export const u16 = (value: number): Uint8Array => Uint8Array.of(value & 0xff, value >> 8);
export const u32 = (value: number): Uint8Array => Buffer.from(new Uint32Array([value]).buffer);
export const zeros = (length: number): Uint8Array => new Uint8Array(length);
export const hex = (text: string): Uint8Array => Buffer.from(text, "hex");

export interface Header {
  readonly version: number;
  readonly keyType: number;
  readonly teeType: number;
  readonly reserved: Uint8Array;
  readonly vendor: Uint8Array;
  readonly userData: Uint8Array;
}

/** In the order of the bytes. */
export interface Body {
  readonly teeTcbSvn: Uint8Array;
  readonly mrseam: Uint8Array;
  readonly mrsignerseam: Uint8Array;
  readonly seamAttributes: Uint8Array;
  readonly tdAttributes: Uint8Array;
  readonly xfam: Uint8Array;
  readonly mrtd: Uint8Array;
  readonly mrconfigid: Uint8Array;
  readonly mrowner: Uint8Array;
  readonly mrownerconfig: Uint8Array;
  readonly rtmrs: Uint8Array;
  readonly reportData: Uint8Array;
  readonly teeTcbSvn2: Uint8Array;
  readonly mrservicetd: Uint8Array;
}

export interface QeFields {
  readonly miscselect: Uint8Array;
  readonly reserved: Uint8Array;
  readonly attributes: Uint8Array;
  readonly mrsigner: Uint8Array;
  readonly isvProdId: number;
  readonly isvSvn: number;
  /** `null`: the digest of attestation key and authentication data, then zeros. */
  readonly reportData: Uint8Array | null;
}

/** What to do differently; everything else is right. */
export interface QuoteChange {
  /** 1: TDX 1.0 in version 4; 2 and 3 in version 5. */
  readonly form?: "v4" | "v5-1.0" | "v5-1.5";
  readonly header?: Partial<Header>;
  readonly bodyType?: number;
  readonly bodyLength?: number;
  readonly body?: Partial<Body>;
  readonly qe?: Partial<QeFields>;
  readonly authData?: Uint8Array;
  /** Lengths and types that are not the ones of what follows. */
  readonly signatureDataLength?: (right: number) => number;
  readonly outerType?: number;
  readonly outerLength?: (right: number) => number;
  readonly authLength?: (right: number) => number;
  readonly innerType?: number;
  readonly innerLength?: (right: number) => number;
  readonly signature?: (right: Uint8Array) => Uint8Array;
  readonly qeSignature?: (right: Uint8Array) => Uint8Array;
  /** The key in the quote; the signature is by the right one. */
  readonly attestationKey?: Uint8Array;
  readonly attestation?: RawKeys;
  /** Changes the quote after it was signed. */
  readonly quote?: (bytes: Uint8Array) => Uint8Array;
}

export const rightHeader: Header = {
  version: 4,
  keyType: 2,
  teeType: 0x81,
  reserved: zeros(4),
  vendor: hex("939a7233f79c4ca9940a0db3957f0607"),
  userData: random(20),
};

/** Module 1.5 of major version 1, microcode 8. */
export const rightBody: Body = {
  teeTcbSvn: hex("06010800000000000000000000000000"),
  mrseam: random(48),
  mrsignerseam: zeros(48),
  seamAttributes: zeros(8),
  tdAttributes: hex("0000001000000000"),
  xfam: hex("e702060000000000"),
  mrtd: random(48),
  mrconfigid: random(48),
  mrowner: random(48),
  mrownerconfig: random(48),
  rtmrs: random(4 * 48),
  reportData: random(64),
  teeTcbSvn2: hex("06010800000000000000000000000000"),
  mrservicetd: zeros(48),
};

export const qeSigner: Uint8Array = random(32);

const rightQe: QeFields = {
  miscselect: zeros(4),
  reserved: zeros(12),
  attributes: hex("11000000000000000700000000000000"),
  mrsigner: qeSigner,
  isvProdId: 2,
  isvSvn: 4,
  reportData: null,
};

export const attestationKeys: RawKeys = rawKeys();
export const pckKeys: CurveKeys = curveKeys("P-256");

/** A quote with this chain in it, signed by the PCK's key. */
export function mintQuote(change: QuoteChange, chain: Uint8Array, pckKey: KeyObject = pckKeys.privateKey): Uint8Array {
  const signed = signedPart(change);
  const { privateKey, raw } = change.attestation ?? attestationKeys;
  const key = change.attestationKey ?? raw;
  const signature = (change.signature ?? same)(rawSignature(privateKey, signed));
  const auth = change.authData ?? hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  const report = qeReport({ ...rightQe, ...change.qe }, key, auth);
  const qeSignature = (change.qeSignature ?? same)(rawSignature(pckKey, report));
  const inner = Buffer.concat([
    report,
    qeSignature,
    u16((change.authLength ?? same)(auth.length)),
    auth,
    u16(change.innerType ?? 5),
    u32((change.innerLength ?? same)(chain.length)),
    chain,
  ]);
  const outer = Buffer.concat([
    signature,
    key,
    u16(change.outerType ?? 6),
    u32((change.outerLength ?? same)(inner.length)),
    inner,
  ]);
  const quote = Buffer.concat([signed, u32((change.signatureDataLength ?? same)(outer.length)), outer]);
  return (change.quote ?? same)(new Uint8Array(quote));
}

const same = <T>(right: T): T => right;

function signedPart({ form = "v4", ...change }: QuoteChange): Uint8Array {
  const is15 = form === "v5-1.5";
  const header = { ...rightHeader, version: form === "v4" ? 4 : 5, ...change.header };
  const { teeTcbSvn2, mrservicetd, ...body10 } = { ...rightBody, ...change.body };
  const body = Buffer.concat([...Object.values(body10), ...(is15 ? [teeTcbSvn2, mrservicetd] : [])]);
  const descriptor = [u16(change.bodyType ?? (is15 ? 3 : 2)), u32(change.bodyLength ?? body.length)];
  return Buffer.concat([
    u16(header.version),
    u16(header.keyType),
    u32(header.teeType),
    header.reserved,
    header.vendor,
    header.userData,
    ...(form === "v4" ? [] : descriptor),
    body,
  ]);
}

function qeReport(qe: QeFields, key: Uint8Array, auth: Uint8Array): Uint8Array {
  const hash = createHash("sha256").update(key).update(auth).digest();
  return Buffer.concat([
    random(16),
    qe.miscselect,
    qe.reserved,
    zeros(16),
    qe.attributes,
    random(32),
    zeros(32),
    qe.mrsigner,
    zeros(32 + 64),
    u16(qe.isvProdId),
    u16(qe.isvSvn),
    zeros(2 + 42 + 16),
    qe.reportData ?? Buffer.concat([hash, zeros(32)]),
  ]);
}

/** A chain as the quote carries it. */
export function chainBytes(...ders: readonly Uint8Array[]): Uint8Array {
  return Buffer.from(ders.map(pem).join(""));
}
