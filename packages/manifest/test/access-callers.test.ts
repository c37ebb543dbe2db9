import {
  type AccessDecider,
  type CertificateFacts,
  createAccessDecider,
  type Identity,
  jwkThumbprint,
  type PresentedFacts,
  type Principal,
  type TokenFacts,
  tokenIssuers,
  type TokenTerms,
} from "@blindbox/manifest";
import { describe, expect, it } from "vitest";
import { key } from "./reference/world.ts";

const NOW = 1_700_000_000;

const JWK = { kty: "OKP", crv: "Ed25519", x: "1".repeat(43) };
const thumbprint = await jwkThumbprint(JWK);

const jwt: TokenTerms = {
  issuer: "https://idp.example",
  audience: "box",
  keys: { keys: [JWK] },
  algorithms: ["EdDSA"],
  requiredClaims: {},
  clockSkew: 30,
  maxLifetime: 3600,
};

const token: TokenFacts = {
  algorithm: "EdDSA",
  key: thumbprint,
  claims: { iss: "https://idp.example", aud: "box", iat: NOW - 60, exp: NOW + 600 },
};

const certificate: CertificateFacts = {
  issuer: key("c"),
  subject: [
    { type: "O", value: "Acme" },
    { type: "CN", value: "host" },
  ],
  names: [{ dns: "host.example" }, { uri: "spiffe://acme/host" }],
  notBefore: NOW - 10,
  notAfter: NOW + 10,
};

const NOTHING: PresentedFacts = { apiKey: null, token: null, certificate: null };

const staff = (change: Partial<TokenTerms> = {}, id = "staff"): Principal => ({
  id,
  jwt: { ...jwt, ...change },
  audit: false,
});

function deciderOf(...principals: readonly Principal[]): Promise<AccessDecider> {
  return createAccessDecider({ access: { principals, rules: [], mutualTls: null } });
}

async function identify(principals: readonly Principal[], facts: Partial<PresentedFacts>): Promise<Identity> {
  return (await deciderOf(...principals)).identify({ ...NOTHING, ...facts }, NOW);
}

async function isStaff(
  claims: object,
  terms: Partial<TokenTerms> = {},
  rest: Partial<TokenFacts> = {},
): Promise<boolean> {
  const facts = { token: { ...token, ...rest, claims: { ...token.claims, ...claims } } };
  return (await identify([staff(terms)], facts)).known;
}

describe("a token", () => {
  it("that fulfils the terms makes its caller known until it runs out", async () => {
    expect(await identify([staff()], { token })).toEqual({
      known: true,
      ids: ["staff"],
      audit: false,
      until: NOW + 630,
    });
  });

  it.each<[string, object, boolean]>([
    ["another issuer", { iss: "https://idp.example/" }, false],
    ["an issuer in a list", { iss: ["https://idp.example"] }, false],
    ["no issuer", { iss: undefined }, false],
    ["another audience", { aud: "boxes" }, false],
    ["the audience among others", { aud: ["other", "box"] }, true],
    ["a list without the audience", { aud: ["other"] }, false],
    ["an empty list of audiences", { aud: [] }, false],
    ["a list with something else in it", { aud: ["box", 1] }, false],
    ["an audience in a map", { aud: { 0: "box" } }, false],
    ["no audience", { aud: undefined }, false],
    ["an end that is past", { exp: NOW - 30 }, false],
    ["an end within the skew", { exp: NOW - 29 }, true],
    ["no end", { exp: undefined }, false],
    ["an end in text", { exp: `${NOW + 600}` }, false],
    ["an end that never comes", { exp: Number.POSITIVE_INFINITY }, false],
    ["no start", { iat: undefined }, false],
    ["a start to come", { iat: NOW + 31 }, false],
    ["a start within the skew", { iat: NOW + 30 }, true],
    ["a longer life than the terms have", { iat: NOW - 3000, exp: NOW + 601 }, false],
    ["the longest life", { iat: NOW - 3000, exp: NOW + 600 }, true],
    ["a time before which it does not count", { nbf: NOW + 31 }, false],
    ["such a time within the skew", { nbf: NOW + 30 }, true],
    ["such a time in text", { nbf: "0" }, false],
    ["such a time that is null", { nbf: null }, false],
    ["claims that nobody asks for", { sub: "x", toString: "y" }, true],
  ])("with %s", async (_, claims, isKnown) => {
    expect(await isStaff(claims)).toBe(isKnown);
  });

  it("of another key or algorithm is nobody's", async () => {
    expect(await isStaff({}, {}, { key: "A".repeat(43) })).toBe(false);
    expect(await isStaff({}, {}, { algorithm: "HS256" })).toBe(false);
    expect(await isStaff({}, {}, { algorithm: "none" })).toBe(false);
    expect(await isStaff({}, { algorithms: ["ES256"] })).toBe(false);
    // A key is not used with an algorithm that is listed for another one.
    expect(await isStaff({}, { algorithms: ["EdDSA", "ES256"] }, { algorithm: "ES256" })).toBe(false);
    expect(await isStaff({}, { keys: { keys: [{ ...JWK, alg: "ES256" }] } })).toBe(false);
  });

  it("of a published key counts where its thumbprint is pinned", async () => {
    const pinned = (thumbprints: readonly string[]): Partial<TokenTerms> => ({
      keys: { url: "https://idp.example/keys", thumbprints },
    });
    expect(await isStaff({}, pinned([thumbprint]))).toBe(true);
    expect(await isStaff({}, pinned(["A".repeat(43)]))).toBe(false);
  });

  it.each<[string, TokenTerms["requiredClaims"], object, boolean]>([
    ["its text", { role: "admin" }, { role: "admin" }, true],
    ["another text", { role: "admin" }, { role: "Admin" }, false],
    ["a list for a text", { role: "admin" }, { role: ["admin"] }, false],
    ["nothing", { role: "admin" }, {}, false],
    ["its number", { level: 1 }, { level: 1 }, true],
    ["a number in text", { level: 1 }, { level: "1" }, false],
    ["true for a number", { level: 1 }, { level: true }, false],
    ["its truth", { ok: true }, { ok: true }, true],
    ["a truth in text", { ok: true }, { ok: "true" }, false],
    ["one of its texts", { role: ["a", "b"] }, { role: "b" }, true],
    ["a list of its texts", { role: ["a", "b"] }, { role: ["b"] }, false],
    ["its word", { scope: { word: "read" } }, { scope: "write read" }, true],
    ["its word alone", { scope: { word: "read" } }, { scope: "read" }, true],
    ["its word within a word", { scope: { word: "read" } }, { scope: "readers unread" }, false],
    ["its word in a list", { scope: { word: "read" } }, { scope: ["read"] }, false],
    ["its item", { groups: { item: "g" } }, { groups: ["f", "g"] }, true],
    ["its item in text", { groups: { item: "g" } }, { groups: "g" }, false],
    ["its item nested", { groups: { item: "g" } }, { groups: [["g"]] }, false],
    ["what a prototype has", { toString: "x", sub: "s" }, { sub: "s" }, false],
    ["all of several", { role: "a", sub: "s" }, { role: "a", sub: "s" }, true],
    ["some of several", { role: "a", sub: "s" }, { role: "a", sub: "t" }, false],
  ])("in whose claim is %s", async (_, requiredClaims, claims, isKnown) => {
    expect(await isStaff(claims, { requiredClaims })).toBe(isKnown);
  });

  it("is judged by the clock of each moment", async () => {
    const decider = await deciderOf(staff());
    const facts = { ...NOTHING, token };
    expect([NOW - 91, NOW - 90, NOW + 629, NOW + 630].map((now) => decider.identify(facts, now).known)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it("that is several principals has the rights of each", async () => {
    const both = [staff({}, "staff"), staff({ requiredClaims: { role: "admin" } }, "admin")];
    const admin = { ...token, claims: { ...token.claims, role: "admin" } };
    expect(await identify(both, { token: admin })).toMatchObject({ ids: ["staff", "admin"] });
    expect(await identify(both, { token })).toMatchObject({ ids: ["staff"] });
  });
});

describe("a client certificate", () => {
  const host = (terms: object): Principal => ({
    id: "host",
    certificate: { issuer: key("c"), subject: "any", san: null, ...terms },
    audit: true,
  });
  const subject = certificate.subject ?? [];

  it.each<[string, object, Partial<CertificateFacts>, boolean]>([
    ["of the issuer", {}, {}, true],
    ["of another issuer", {}, { issuer: key("d") }, false],
    ["of another issuer with the right subject", { subject }, { issuer: key("d") }, false],
    ["with its subject", { subject }, {}, true],
    ["with its subject in another order", { subject: subject.toReversed() }, {}, false],
    ["with a part of its subject", { subject: subject.slice(1) }, {}, false],
    ["with a subject that cannot be told", { subject }, { subject: null }, false],
    ["with any subject, of which one cannot be told", {}, { subject: null }, true],
    ["with its name", { san: { dns: "host.example" } }, {}, true],
    ["with its URI", { san: { uri: "spiffe://acme/host" } }, {}, true],
    ["with another name", { san: { dns: "example" } }, {}, false],
    ["with a wildcard for its name", { san: { dns: "host.example" } }, { names: [{ dns: "*.example" }] }, false],
    ["with its name as another kind", { san: { email: "host.example" } }, {}, false],
    ["with its name and another subject", { subject: subject.slice(1), san: { dns: "host.example" } }, {}, false],
    ["that is not valid yet", {}, { notBefore: NOW + 1 }, false],
    ["that begins now", {}, { notBefore: NOW }, true],
    ["that ends now", {}, { notAfter: NOW }, true],
    ["that has ended", {}, { notAfter: NOW - 1 }, false],
  ])("%s", async (_, terms, facts, isKnown) => {
    expect((await identify([host(terms)], { certificate: { ...certificate, ...facts } })).known).toBe(isKnown);
  });

  it("makes its caller known until it ends", async () => {
    expect(await identify([host({})], { certificate })).toEqual({
      known: true,
      ids: ["host"],
      audit: true,
      until: NOW + 10,
    });
  });
});

describe("several credentials on one request", () => {
  const alice: Principal = { id: "alice", apiKey: key("a"), audit: false };
  const terms = { issuer: key("c"), subject: "any" as const, san: null };
  const strong: Principal = { id: "strong", allOf: [{ certificate: terms }, { apiKey: key("a") }], audit: true };
  const triple: Principal = {
    id: "triple",
    allOf: [{ apiKey: key("a") }, { jwt }, { certificate: terms }],
    audit: false,
  };
  const everybody = [alice, strong, triple, staff()];

  it("are the principal that has just these", async () => {
    const ids = async (facts: Partial<PresentedFacts>): Promise<unknown> => {
      const identity = await identify(everybody, facts);
      return identity.known ? identity.ids : null;
    };
    const apiKey = key("a");
    expect(await ids({ apiKey })).toEqual(["alice"]);
    expect(await ids({ apiKey, certificate })).toEqual(["strong"]);
    expect(await ids({ apiKey, certificate, token })).toEqual(["triple"]);
    expect(await ids({ token })).toEqual(["staff"]);
    expect(await ids({ apiKey, token })).toBeNull();
    expect(await ids({ certificate })).toBeNull();
    expect(await ids({ certificate, token })).toBeNull();
    expect(await ids({})).toEqual(["anonymous"]);
  });

  it("count only where each of them is good", async () => {
    const gone = { ...certificate, notAfter: NOW - 1 };
    expect((await identify(everybody, { apiKey: key("a"), certificate: gone })).known).toBe(false);
    expect((await identify(everybody, { apiKey: key("b"), certificate })).known).toBe(false);
  });

  it("count until the first of them runs out", async () => {
    expect(await identify(everybody, { apiKey: key("a"), certificate, token })).toMatchObject({ until: NOW + 10 });
  });
});

describe("the keys that the box verifies tokens with", () => {
  it("are gathered by issuer, each once, with their thumbprints", async () => {
    const pinned = { url: "https://other.example/keys", thumbprints: ["A".repeat(43)] };
    const principals = [
      staff(),
      staff({ requiredClaims: { role: "admin" } }, "admin"),
      {
        id: "both",
        allOf: [{ apiKey: key("a") }, { jwt: { ...jwt, issuer: "https://other.example", keys: pinned } }],
        audit: false,
      },
    ];
    expect(await tokenIssuers({ access: { principals, rules: [], mutualTls: null } })).toEqual([
      { issuer: "https://idp.example", inline: [{ jwk: JWK, thumbprint }], pinned: [], algorithms: ["EdDSA"] },
      { issuer: "https://other.example", inline: [], pinned: [pinned], algorithms: ["EdDSA"] },
    ]);
  });

  it("have the thumbprint of RFC 7638, section 3.1, whatever stands beside the key", async () => {
    const jwk = {
      kty: "RSA",
      n: "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
      e: "AQAB",
      alg: "RS256",
      kid: "2011-04-29",
    };
    expect(await jwkThumbprint(jwk)).toBe("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  });
});
