import {
  described,
  flag,
  integer,
  isMap,
  kindOf,
  list,
  mapped,
  object,
  optional,
  record,
  type Shape,
  text,
  variant,
  word,
} from "../shape/index.ts";
import type { ClaimTerm, JwtAlgorithm, PinnedKeys, TokenTerms } from "./principal.ts";
import { inlineKeysShape } from "./jwk-shape.ts";

/** Most claims that one caller's tokens are asked for. Each is a comparison with every request. */
const MAX_CLAIMS = 16;

/** Seconds. Five minutes is the most that common libraries suggest. */
const CLOCK_SKEW: readonly [number, number] = [0, 300];

/** Seconds. A token of less than a minute would run out on its way; one of more than a day is a key. */
const LIFETIME: readonly [number, number] = [60, 86_400];

/** What tokens must be where `clockSkew` and `maxLifetime` say nothing: the hour of common issuers. */
export const DEFAULT_TOKEN_TIMES: Pick<TokenTerms, "clockSkew" | "maxLifetime"> = { clockSkew: 30, maxLifetime: 3600 };

const algorithmShape: Shape<JwtAlgorithm> = word([
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "PS256",
  "PS384",
  "PS512",
  "RS256",
]);

const thumbprint = text({
  expected: "the RFC 7638 thumbprint of a key: SHA-256 in 43 base64url characters",
  pattern: "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$",
  max: 43,
});

const keysUrl = text({
  expected: "an https URL in lower case, without user and fragment",
  pattern: '^https://[a-z0-9.-]{1,253}(?::[1-9][0-9]{0,4})?/[!-"$-\\[\\]-~]*$',
  max: 512,
});

const pinnedKeys: Shape<PinnedKeys> = object<PinnedKeys>({
  url: described(keysUrl, "Where the issuer publishes its keys. The egress rules must allow the box to ask for it."),
  thumbprints: described(
    list(thumbprint, { min: 1, max: 16, unique: true }),
    "The keys that count, by RFC 7638 thumbprint. Whatever else is published is ignored.",
  ),
});

const keysShape: Shape<TokenTerms["keys"]> = variant<TokenTerms["keys"]>(
  { inline: inlineKeysShape, pinned: pinnedKeys },
  "a map with keys, or with url and thumbprints",
  (value) => {
    if (Object.hasOwn(value, "url") || Object.hasOwn(value, "thumbprints")) return "pinned";
    return Object.hasOwn(value, "keys") ? "inline" : undefined;
  },
);

// What the other members of the terms, and the clock, decide already.
const claimName = text({
  expected: "the name of a claim other than iss, aud, exp, nbf and iat",
  pattern: "^(?!(?:iss|aud|exp|nbf|iat|__proto__)$)[!-~]{1,256}$",
  max: 256,
});

const claimText = text({
  expected: "a string of 1 to 256 characters without control characters",
  pattern: "^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$",
  max: 256,
});

const claimWord = text({ expected: "a word of visible ASCII", pattern: "^[!-~]+$", max: 256 });

const claimInteger = integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);

const oneOfTexts = list(claimText, { min: 1, max: 64, unique: true });

const partOfClaim = variant<{ readonly word: string } | { readonly item: string }>(
  {
    word: object<{ readonly word: string }>({ word: claimWord }),
    item: object<{ readonly item: string }>({ item: claimText }),
  },
  "a map with word or item",
  (value) => Object.keys(value)[0],
);

const claimTerm: Shape<ClaimTerm> = {
  schema: { anyOf: [claimText, claimInteger, flag, oneOfTexts, partOfClaim].map(({ schema }) => schema) },
  read(value, at) {
    if (typeof value === "string") return claimText.read(value, at);
    if (typeof value === "number") return claimInteger.read(value, at);
    if (Array.isArray(value)) return oneOfTexts.read(value, at);
    if (isMap(value)) return partOfClaim.read(value, at);
    if (typeof value === "boolean") return value;
    return at.problem("a string, an integer, true, false, a list of strings, { word } or { item }", kindOf(value));
  },
};

const requiredClaims = described(
  record(claimName, claimTerm, MAX_CLAIMS),
  "What further claims must be: one value, a list of allowed strings, { word: … } of a text like scope, or { item: … } of a list.",
);

const always = {
  issuer: text({ expected: "an https URL", pattern: "^https://[!-~]+$", max: 512 }),
  audience: text({ expected: "1 to 256 visible ASCII characters", pattern: "^[!-~]+$", max: 256 }),
  keys: keysShape,
  algorithms: list(algorithmShape, { min: 1, max: 8, unique: true }),
};

/** The terms of a caller's tokens in the resolved form. */
export const tokenShape: Shape<TokenTerms> = object<TokenTerms>({
  ...always,
  requiredClaims,
  clockSkew: integer(...CLOCK_SKEW),
  maxLifetime: integer(...LIFETIME),
});

type Defaulted = "requiredClaims" | "clockSkew" | "maxLifetime";

/** The terms of a caller's tokens as they are written. */
export type TokenSource = Omit<TokenTerms, Defaulted> & Partial<Pick<TokenTerms, Defaulted>>;

/** The terms of a caller's tokens as written, with every default filled in. */
export const tokenSourceShape: Shape<TokenTerms> = mapped(
  object<TokenSource>({
    ...always,
    requiredClaims: optional(requiredClaims),
    clockSkew: optional(described(integer(...CLOCK_SKEW), "Seconds. Left out: 30.")),
    maxLifetime: optional(described(integer(...LIFETIME), "Seconds from iat to exp at most. Left out: 3600.")),
  }),
  (terms) => ({ requiredClaims: {}, ...DEFAULT_TOKEN_TIMES, ...terms }),
);
