/** A small world of callers, rules and requests, in which everything often meets and often just misses. */
import type {
  Access,
  AccessRule,
  CertificateFacts,
  CertificateTerms,
  ClaimTerm,
  Factor,
  HeaderTerm,
  Limits,
  PresentedFacts,
  Principal,
  TokenFacts,
  TokenTerms,
} from "@blindbox/manifest";
import { jwkThumbprint } from "@blindbox/manifest";
import * as fc from "fast-check";
import type { Asked, Thumbprints } from "./naive.ts";

export const NOW = 1_000_000;

export const key = (letter: string): string => `sha256:${letter.repeat(64)}`;

const ONE = { kty: "OKP", crv: "Ed25519", x: "1".repeat(43) };
const TWO = { kty: "OKP", crv: "Ed25519", x: "2".repeat(43), alg: "EdDSA" };

export const THUMBPRINTS: Thumbprints = Object.fromEntries(
  await Promise.all([ONE, TWO].map(async (jwk) => [jwk.x, await jwkThumbprint(jwk)] as const)),
);

const names = [THUMBPRINTS[ONE.x] ?? "", THUMBPRINTS[TWO.x] ?? "", "A".repeat(43)];

const apiKey = fc.constantFrom("a", "b", "c").map(key);

const keys: fc.Arbitrary<TokenTerms["keys"]> = fc.oneof(
  fc.subarray([ONE, TWO], { minLength: 1 }).map((each) => ({ keys: each })),
  fc.subarray(names, { minLength: 1 }).map((thumbprints) => ({ url: "https://idp.example.com/keys", thumbprints })),
);

const role: fc.Arbitrary<ClaimTerm> = fc.constantFrom("admin", "user", ["admin", "user"], ["admin", "x y"], {
  word: "x",
});

const requiredClaims: fc.Arbitrary<TokenTerms["requiredClaims"]> = fc.record(
  {
    role,
    sub: fc.constantFrom<ClaimTerm>("s1", "s2", ["s1", "s2"]),
    groups: fc.constant({ item: "g" }),
    level: fc.constantFrom<ClaimTerm>(1, true),
  },
  { requiredKeys: [], noNullPrototype: true },
);

export const tokenTerms: fc.Arbitrary<TokenTerms> = fc.record({
  issuer: fc.constantFrom("https://i1.example", "https://i2.example"),
  audience: fc.constantFrom("a1", "a2"),
  keys,
  algorithms: fc.subarray(["EdDSA" as const, "ES256" as const], { minLength: 1 }),
  requiredClaims,
  clockSkew: fc.constantFrom(0, 30),
  maxLifetime: fc.constantFrom(600, 3600),
});

const san = fc.constantFrom({ dns: "h1.example" }, { dns: "h2.example" }, { uri: "spiffe://h1.example" });

const subject = fc.constantFrom<Exclude<CertificateTerms["subject"], "any">>(
  [{ type: "CN", value: "h1" }],
  [
    { type: "O", value: "acme" },
    { type: "CN", value: "h1" },
  ],
);

export const certificateTerms: fc.Arbitrary<CertificateTerms> = fc.record({
  issuer: fc.constantFrom("d", "e").map(key),
  subject: fc.oneof(fc.constant("any" as const), subject),
  san: fc.option(san),
});

const factors: fc.Arbitrary<readonly Factor[]> = fc
  .record({ apiKey, jwt: tokenTerms, certificate: certificateTerms }, { requiredKeys: [], noNullPrototype: true })
  .map((chosen) => Object.entries(chosen).map(([kind, value]) => ({ [kind]: value }) as unknown as Factor))
  .filter((each) => each.length > 0);

/** One or several kinds of key material. */
export const anyFactors: fc.Arbitrary<readonly Factor[]> = factors;

export function named(id: string): fc.Arbitrary<Principal> {
  return fc.tuple(factors, fc.boolean()).map(([[first, ...others], audit]) => {
    const material = others.length === 0 ? { ...first } : { allOf: [first, ...others] };
    return { id, audit, ...material } as unknown as Principal;
  });
}

export const LIMITS: Limits = {
  body: 1,
  requestsPerMinute: 1,
  totalPerMinute: 1,
  concurrent: 1,
  time: 1,
  response: 1,
};

const term = fc.constantFrom<HeaderTerm>(
  { oneOf: ["1", "2"] },
  { oneOf: ["1"] },
  { present: true },
  { present: false },
);

const headers = fc.record(
  { "x-a": term, "x-b": term, "x-method-override": fc.constant<HeaderTerm>({ oneOf: ["PUT"] }) },
  { requiredKeys: [], noNullPrototype: true },
);

const plain = fc.constantFrom("/a", "/b", "/ab", "/.well-known");

const pattern = fc
  .tuple(fc.array(plain, { maxLength: 3 }), fc.constantFrom("/", "/**", ""))
  .map(([segments, end]) => segments.join("") + end || "/");

export function rule(ids: readonly string[]): fc.Arbitrary<AccessRule> {
  return fc.record({
    allow: fc.shuffledSubarray([...ids, "anonymous"], { minLength: 1 }),
    methods: fc.subarray(["GET" as const, "POST" as const], { minLength: 1 }),
    path: fc.oneof({ arbitrary: fc.constant("/**"), weight: 1 }, { arbitrary: pattern, weight: 3 }),
    headers: fc.oneof({ arbitrary: fc.constant({}), weight: 2 }, { arbitrary: headers, weight: 1 }),
    upgrade: fc.constantFrom("none" as const, "websocket" as const),
    audit: fc.boolean(),
    limits: fc.constantFrom(LIMITS, { ...LIMITS, body: 2 }, { ...LIMITS, time: 5, concurrent: 3 }),
  });
}

/** Any access section over the small world, valid but for what does not decide requests. */
export const anyAccess: fc.Arbitrary<Access> = fc.subarray(["p1", "p2", "p3", "p4"]).chain((ids) =>
  fc.record({
    principals: fc.tuple(...ids.map(named)).map((each) => [...each]),
    rules: fc.array(rule(ids), { maxLength: 5 }),
    mutualTls: fc.constant(null),
  }),
);

const claims = fc.record(
  {
    iss: fc.constantFrom("https://i1.example", "https://i2.example"),
    aud: fc.constantFrom<unknown>("a1", "a2", ["a1", "a2"], ["a2"], []),
    iat: fc.constantFrom(NOW - 100, NOW + 10),
    exp: fc.constantFrom(NOW + 500, NOW + 3000, NOW - 10),
    role: fc.constantFrom<unknown>("admin", "user", "x y", ["admin"], "xy"),
    sub: fc.constantFrom("s1", "s2"),
    groups: fc.constantFrom<unknown>(["g", "h"], "g", ["h"]),
    level: fc.constantFrom<unknown>(1, "1", true),
  },
  { requiredKeys: ["iss", "aud", "iat", "exp"], noNullPrototype: true },
);

const token: fc.Arbitrary<TokenFacts> = fc.record({
  algorithm: fc.constantFrom("EdDSA", "ES256"),
  key: fc.constantFrom(...names),
  claims,
});

const certificate: fc.Arbitrary<CertificateFacts> = fc.record({
  issuer: fc.constantFrom("d", "e").map(key),
  subject: fc.option(subject),
  names: fc.uniqueArray(san, { maxLength: 2, selector: (name) => JSON.stringify(name) }),
  notBefore: fc.constantFrom(0, 1, NOW, NOW + 1),
  notAfter: fc.constantFrom(NOW, NOW - 1, NOW + 100, NOW + 200),
});

const anyFacts: fc.Arbitrary<PresentedFacts> = fc.record({
  apiKey: fc.option(apiKey, { freq: 2 }),
  token: fc.option(token, { freq: 1 }),
  certificate: fc.option(certificate, { freq: 1 }),
});

/** What satisfies these factors and no others at `NOW`, or just does not; drawn so that every way of doing so can come. */
export function factsFor(all: readonly Factor[]): fc.Arbitrary<PresentedFacts> {
  return fc.record({ token, certificate, pick: fc.nat(11), times }).map((drawn) => {
    const presented: { -readonly [K in keyof PresentedFacts]: PresentedFacts[K] } = {
      apiKey: null,
      token: null,
      certificate: null,
    };
    for (const factor of all) {
      if ("apiKey" in factor) presented.apiKey = factor.apiKey;
      else if ("jwt" in factor) presented.token = tokenFor(factor.jwt, drawn);
      else presented.certificate = certificateFor(factor.certificate, drawn.certificate);
    }
    return presented;
  });
}

/** Times of a token that is good under all terms, under some, or under none. */
const times = fc.constantFrom(
  { iat: NOW - 100, exp: NOW + 500 },
  { iat: NOW - 100, exp: NOW + 500 },
  { iat: NOW - 100, exp: NOW + 501 },
  { iat: NOW - 100, exp: NOW + 3500 },
  { iat: NOW - 100, exp: NOW - 10 },
  { iat: NOW + 10, exp: NOW + 500 },
);

interface Drawn {
  readonly token: TokenFacts;
  readonly pick: number;
  readonly times: { readonly iat: number; readonly exp: number };
}

function tokenFor(terms: TokenTerms, { token: drawn, pick, times: span }: Drawn): TokenFacts {
  const inline = "url" in terms.keys ? [] : terms.keys.keys.map((jwk) => THUMBPRINTS[String(jwk["x"])] ?? "");
  const known = "url" in terms.keys ? terms.keys.thumbprints : inline;
  const wanted = Object.entries(terms.requiredClaims).map(([name, each]) => [name, claimFor(each, pick)]);
  return {
    algorithm: terms.algorithms[pick % terms.algorithms.length] ?? "",
    key: known[pick % known.length] ?? "",
    claims: { ...drawn.claims, iss: terms.issuer, aud: terms.audience, ...span, ...Object.fromEntries(wanted) },
  };
}

function claimFor(term: ClaimTerm, pick: number): unknown {
  if (Array.isArray(term)) return term[pick % term.length];
  if (typeof term !== "object") return term;
  return "word" in term ? `x ${term.word}` : "item" in term ? [term.item] : null;
}

function certificateFor(
  { issuer, subject: wanted, san: name }: CertificateTerms,
  drawn: CertificateFacts,
): CertificateFacts {
  return {
    issuer,
    subject: wanted === "any" ? drawn.subject : wanted,
    names: name === null ? drawn.names : [name, ...drawn.names],
    notBefore: drawn.notBefore,
    notAfter: drawn.notAfter,
  };
}

/** Whatever is presented: most often what some principal needs, else anything. */
export function factsNear({ principals }: Access): fc.Arbitrary<PresentedFacts> {
  const nobody = fc.constant<PresentedFacts>({ apiKey: null, token: null, certificate: null });
  const known = principals.map((each) => factsFor("allOf" in each ? each.allOf : [each]));
  return fc.oneof(anyFacts, nobody, ...known, ...known);
}

const segment = fc.constantFrom("", "/a", "/b", "/ab", "/a%20b", "/.well-known", "/blindbox");

const target = fc
  .tuple(fc.array(segment, { maxLength: 4 }), fc.constantFrom("", "/", "?q", "/..", "%2f"))
  .map(([segments, end]) => segments.join("") + end || "/");

const lines = fc.constantFrom<readonly string[]>([], ["1"], ["2"], ["3"], ["1", "1"]);

/** Any request, by somebody whom this access section may know. */
export function anyRequest(access: Access): fc.Arbitrary<Asked> {
  return fc.record({
    facts: factsNear(access),
    method: fc.constantFrom("GET", "POST", "PUT"),
    target,
    upgrade: fc.constantFrom(null, null, null, "websocket", "h2c", "none"),
    headers: fc.record({ "x-a": lines, "x-b": lines, "x-method-override": fc.constantFrom([], ["PUT"], ["DELETE"]) }),
  });
}
