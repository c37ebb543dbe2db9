/** RSA keys for fake vendors, and every way in which their algorithm can be named. */
import { constants, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { explicit, integer, oid, sequence } from "./der.ts";
import type { Keys } from "./vendor.ts";

const NULL = Uint8Array.of(5, 0);
export const sha256Id = sequence(oid("2.16.840.1.101.3.4.2.1"), NULL);
export const sha384Id = sequence(oid("2.16.840.1.101.3.4.2.2"), NULL);

/** Every part of RSASSA-PSS-params (RFC 4055, 3.1), so that each can be wrong. */
export interface PssSpec {
  readonly hash: Uint8Array;
  readonly maskHash: Uint8Array;
  readonly salt: number;
  /** `null` leaves the default out. */
  readonly trailer: number | null;
}

export function pssAlgorithm(change: Partial<PssSpec> = {}): Uint8Array {
  const spec = { hash: sha384Id, maskHash: sha384Id, salt: 48, trailer: null, ...change };
  const parameters = sequence(
    explicit(0, spec.hash),
    explicit(1, sequence(oid("1.2.840.113549.1.1.8"), spec.maskHash)),
    explicit(2, integer(spec.salt)),
    ...(spec.trailer === null ? [] : [explicit(3, integer(spec.trailer))]),
  );
  return sequence(oid("1.2.840.113549.1.1.10"), parameters);
}

export const pkcs1Sha256: Uint8Array = sequence(oid("1.2.840.113549.1.1.11"), NULL);
export const pkcs1Sha384: Uint8Array = sequence(oid("1.2.840.113549.1.1.12"), NULL);
export const pkcs1Sha1: Uint8Array = sequence(oid("1.2.840.113549.1.1.5"), NULL);

export interface RsaPair {
  readonly privateKey: KeyObject;
  readonly spki: Uint8Array;
}

export function rsaPair(modulusLength = 2048, publicExponent = 65537): RsaPair {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength, publicExponent });
  return { privateKey, spki: new Uint8Array(publicKey.export({ type: "spki", format: "der" })) };
}

/** The pair signing with RSASSA-PSS; what is named and what is done may differ. */
export function pssKeys(pair: RsaPair, algorithm = pssAlgorithm(), hash = "sha384", saltLength = 48): Keys {
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return { ...pair, algorithm, sign: (body) => sign(hash, body, { key: pair.privateKey, padding, saltLength }) };
}

/** The pair signing with RSASSA-PKCS1-v1_5. */
export function pkcs1Keys(pair: RsaPair, algorithm = pkcs1Sha256, hash = "sha256"): Keys {
  return { ...pair, algorithm, sign: (body) => sign(hash, body, pair.privateKey) };
}
