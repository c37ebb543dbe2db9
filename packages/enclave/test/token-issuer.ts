/** An identity provider of the tests: keys, and tokens that are right or have one thing wrong. */
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { Jwk, JwtAlgorithm, TokenTerms } from "@blindbox/manifest";

export interface IssuerKey {
  readonly algorithm: JwtAlgorithm;
  readonly privateKey: KeyObject;
  readonly jwk: Jwk;
}

const makers: Readonly<Record<"ES256" | "ES384" | "EdDSA" | "RS256" | "PS256", () => KeyObject>> = {
  ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
  ES384: () => generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey,
  EdDSA: () => generateKeyPairSync("ed25519").privateKey,
  RS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey,
  PS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey,
};

/** A key for one algorithm, with the public half as a Manifest has it. */
export function issuerKey(algorithm: keyof typeof makers, kid?: string): IssuerKey {
  const privateKey = makers[algorithm]();
  const jwk = publicJwk(privateKey);
  return { algorithm, privateKey, jwk: kid === undefined ? jwk : { ...jwk, kid } };
}

function publicJwk(privateKey: KeyObject): Jwk {
  return createPublicKey(privateKey).export({ format: "jwk" }) as Jwk;
}

export const ISSUER = "https://idp.test";
export const AUDIENCE = "box";

/** Terms as a Manifest has them, around these keys. */
export function termsOf(keys: readonly IssuerKey[], change: Partial<TokenTerms> = {}): TokenTerms {
  return {
    issuer: ISSUER,
    audience: AUDIENCE,
    keys: { keys: keys.map(({ jwk }) => jwk) },
    algorithms: [...new Set(keys.map(({ algorithm }) => algorithm))],
    requiredClaims: {},
    clockSkew: 30,
    maxLifetime: 3600,
    ...change,
  };
}

/** What a token says; left out: what is right at `now`. */
export interface TokenSpec {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  /** The payload's text instead of `claims`. */
  readonly payload?: string;
  readonly now?: number;
}

export function encoded(value: unknown): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
}

function rightClaims(now: number): Readonly<Record<string, unknown>> {
  return { iss: ISSUER, aud: AUDIENCE, sub: "someone", iat: now, exp: now + 600 };
}

function unsignedToken({ algorithm }: IssuerKey, { header, claims, payload, now }: TokenSpec): string {
  const at = now ?? Math.floor(Date.now() / 1000);
  const body = payload ?? { ...rightClaims(at), ...claims };
  return `${encoded({ alg: algorithm, typ: "JWT", ...header })}.${encoded(body)}`;
}

/** A token signed by the key's own algorithm, whatever its header says. */
export function token(key: IssuerKey, spec: TokenSpec = {}): string {
  const text = unsignedToken(key, spec);
  return `${text}.${signatureOf(key, Buffer.from(text)).toString("base64url")}`;
}

function signatureOf({ algorithm, privateKey }: IssuerKey, bytes: Buffer): Buffer {
  if (algorithm === "EdDSA") return sign(null, bytes, privateKey);
  const hash = `sha${algorithm.slice(2)}`;
  if (algorithm.startsWith("ES")) return sign(hash, bytes, { key: privateKey, dsaEncoding: "ieee-p1363" });
  if (algorithm.startsWith("RS")) return sign(hash, bytes, privateKey);
  return sign(hash, bytes, { key: privateKey, padding: 6, saltLength: Number(algorithm.slice(2)) / 8 });
}

/** The same text with a MAC by `secret`: what an attacker makes who knows public keys only. */
export function macToken(key: IssuerKey, secret: string | Buffer, spec: TokenSpec = {}): string {
  const text = unsignedToken(key, { ...spec, header: { alg: "HS256", ...spec.header } });
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

/** The same text without a signature. */
export function unsigned(key: IssuerKey, spec: TokenSpec = {}): string {
  return `${unsignedToken(key, spec)}.`;
}
