import { canonicalJson, digest, toBase64url, utf8 } from "@blindbox/encoding";
import type { Manifest } from "../manifest.ts";
import {
  factorsOf,
  type Jwk,
  type JwtAlgorithm,
  type PinnedKeys,
  type Principal,
  type TokenTerms,
} from "./principal.ts";

/** Which algorithms each key may have signed with, by thumbprint. */
export type SigningKeys = ReadonlyMap<string, ReadonlySet<string>>;

/** The signing keys that some terms accept. Throws for terms that it was not made with. */
export type KeysOf = (terms: TokenTerms) => SigningKeys;

/** Everything that the box needs to verify signatures of one issuer's tokens, over all principals. */
export interface TokenIssuer {
  readonly issuer: string;
  /** Keys that stand in the Manifest, each once. */
  readonly inline: readonly { readonly jwk: Jwk; readonly thumbprint: string }[];
  /** Where the issuer publishes keys; whatever is read there counts only where its thumbprint is listed. */
  readonly pinned: readonly PinnedKeys[];
  /** Every algorithm that any principal of this issuer accepts. */
  readonly algorithms: readonly JwtAlgorithm[];
}

/** The members that name a key, by its kind (RFC 7638, section 3.2; RFC 8037, section 2). */
const NAMING: Readonly<Record<string, readonly string[]>> = {
  EC: ["crv", "kty", "x", "y"],
  OKP: ["crv", "kty", "x"],
  RSA: ["e", "kty", "n"],
};

/** What a key can sign with, by its curve or else its kind. */
const FITTING: Readonly<Record<string, readonly JwtAlgorithm[]>> = {
  "P-256": ["ES256"],
  "P-384": ["ES384"],
  "P-521": ["ES512"],
  Ed25519: ["EdDSA"],
  RSA: ["PS256", "PS384", "PS512", "RS256"],
};

/** The text whose SHA-256 is the thumbprint of a key (RFC 7638, section 3). */
function namingText(jwk: Jwk): string {
  const names = NAMING[String(jwk["kty"])] ?? [];
  return canonicalJson(Object.fromEntries(names.map((name) => [name, String(jwk[name])])));
}

/** RFC 7638 thumbprint of a public key with SHA-256, in base64url. Two keys with one thumbprint are one key. */
export async function jwkThumbprint(jwk: Jwk): Promise<string> {
  return toBase64url(await digest("SHA-256", utf8(namingText(jwk))));
}

/** Algorithms that a key can be used with: those of its kind, or the one among them that it names itself. */
export function fittingAlgorithms(jwk: Jwk): readonly JwtAlgorithm[] {
  const fitting = FITTING[String(jwk["crv"] ?? jwk["kty"])] ?? [];
  return jwk["alg"] === undefined ? fitting : fitting.filter((algorithm) => algorithm === jwk["alg"]);
}

/** Reads which key may have signed with which algorithm, for all of these terms. */
export async function signingKeys(all: readonly TokenTerms[]): Promise<KeysOf> {
  const thumbprints = await thumbprintsOf(all);
  const known = new Map(all.map((terms) => [terms, keysOf(terms, thumbprints)]));
  return (terms) => {
    const keys = known.get(terms);
    if (keys === undefined) throw new TypeError("these terms are of another document");
    return keys;
  };
}

/** The terms of every JWT that can make a caller known, alone or together with other credentials. */
export function tokenTermsOf(principals: readonly Principal[]): readonly TokenTerms[] {
  return principals.flatMap(factorsOf).flatMap((factor) => ("jwt" in factor ? [factor.jwt] : []));
}

/** What the box needs to verify signatures of tokens: one entry an issuer, in the order of the principals. */
export async function tokenIssuers({ access }: Pick<Manifest, "access">): Promise<readonly TokenIssuer[]> {
  const all = tokenTermsOf(access.principals);
  const thumbprints = await thumbprintsOf(all);
  const issuers = new Map<string, TokenTerms[]>();
  for (const terms of all) issuers.set(terms.issuer, [...(issuers.get(terms.issuer) ?? []), terms]);
  return Array.from(issuers, ([issuer, terms]) => ({ issuer, ...keysOfIssuer(terms, thumbprints) }));
}

function keysOfIssuer(all: readonly TokenTerms[], thumbprints: Thumbprints): Omit<TokenIssuer, "issuer"> {
  const inline = all.flatMap(({ keys }) => ("url" in keys ? [] : keys.keys)).map((jwk) => withName(jwk, thumbprints));
  return {
    inline: [...new Map(inline.map((each) => [canonicalJson(each.jwk), each])).values()],
    pinned: all.flatMap(({ keys }) => ("url" in keys ? [keys] : [])),
    algorithms: [...new Set(all.flatMap(({ algorithms }) => algorithms))],
  };
}

/** By the text that is hashed, so that a key which stands at a thousand principals is hashed once. */
type Thumbprints = ReadonlyMap<string, string>;

async function thumbprintsOf(all: readonly TokenTerms[]): Promise<Thumbprints> {
  const keys = all.flatMap(({ keys: set }) => ("url" in set ? [] : set.keys));
  const byText = new Map(keys.map((jwk) => [namingText(jwk), jwk]));
  return new Map(
    await Promise.all(Array.from(byText, async ([text, jwk]) => [text, await jwkThumbprint(jwk)] as const)),
  );
}

function withName(jwk: Jwk, thumbprints: Thumbprints): { readonly jwk: Jwk; readonly thumbprint: string } {
  return { jwk, thumbprint: thumbprints.get(namingText(jwk)) ?? "" };
}

function keysOf({ keys, algorithms }: TokenTerms, thumbprints: Thumbprints): SigningKeys {
  if ("url" in keys) return new Map(keys.thumbprints.map((each) => [each, new Set<string>(algorithms)]));
  const known = new Map<string, Set<string>>();
  for (const { jwk, thumbprint } of keys.keys.map((each) => withName(each, thumbprints))) {
    const fitting = fittingAlgorithms(jwk).filter((each) => algorithms.includes(each));
    known.set(thumbprint, new Set([...(known.get(thumbprint) ?? []), ...fitting]));
  }
  return known;
}
