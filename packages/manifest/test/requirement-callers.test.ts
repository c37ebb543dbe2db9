import {
  compareRequirement,
  type Factor,
  jwkThumbprint,
  type Manifest,
  type ManifestRequirement,
  type Principal,
  readRequirement,
  type RequiredPrincipal,
  type TokenTerms,
} from "@blindbox/manifest";
import { parseManifestSource, resolveManifest } from "@blindbox/manifest/source";
import { describe, expect, it } from "vitest";
import { IMAGE, KEY_DIGEST, SMALL_YAML } from "./documents.ts";

const { manifest: source } = parseManifestSource(SMALL_YAML, { format: "yaml" });
const small = resolveManifest(source, IMAGE);

const OTHER = `sha256:${"1".repeat(64)}`;

async function beyond(
  access: Partial<Manifest["access"]>,
  accepted: readonly RequiredPrincipal[],
  audit: ManifestRequirement["audit"] = true,
): Promise<readonly string[]> {
  const manifest: Manifest = { ...small, access: { principals: [], rules: [], mutualTls: null, ...access } };
  const requirement: ManifestRequirement = {
    app: { image: "any" },
    access: { principals: { subsetOf: accepted }, websocket: false, recorded: false },
    egress: { subsetOf: [], modes: [] },
    logs: "none",
    operations: { health: "live", metrics: "none" },
    audit,
  };
  const differences = await compareRequirement(manifest, readRequirement(requirement, "require"));
  return differences.map(({ path, actual }) => `${path}: ${actual}`);
}

async function isAccepted(factors: readonly Factor[], accepted: RequiredPrincipal): Promise<boolean> {
  const [first] = factors;
  const material = factors.length === 1 ? first : { allOf: factors };
  const principal = { id: "someone", audit: false, ...material } as unknown as Principal;
  return (await beyond({ principals: [principal] }, [accepted])).length === 0;
}

const keyFactor: Factor = { apiKey: KEY_DIGEST };
const [ONE, TWO] = ["1", "2"].map((digit) => ({ kty: "OKP", crv: "Ed25519", x: digit.repeat(43) }));
const jwt: TokenTerms = {
  issuer: "https://idp.example",
  audience: "box",
  keys: { keys: [ONE ?? {}, TWO ?? {}] },
  algorithms: ["EdDSA"],
  requiredClaims: { azp: ["a", "b"], scope: { word: "read" } },
  clockSkew: 30,
  maxLifetime: 3600,
};
const certificate = {
  issuer: KEY_DIGEST,
  subject: [{ type: "CN" as const, value: "host" }],
  san: { dns: "host.example" },
};

describe("callers with API keys", () => {
  it("compare by key material, never by id", async () => {
    expect(await isAccepted([keyFactor], { id: "someone-else", apiKey: KEY_DIGEST })).toBe(true);
    expect(await isAccepted([keyFactor], { id: "someone", apiKey: OTHER })).toBe(false);
    expect(await isAccepted([keyFactor], { certificate: { issuer: KEY_DIGEST, subject: "any" } })).toBe(false);
    expect(await isAccepted([{ certificate }], { apiKey: KEY_DIGEST })).toBe(false);
  });
});

describe("callers with tokens", () => {
  const within = (change: Partial<TokenTerms>): Promise<boolean> =>
    isAccepted([{ jwt: { ...jwt, ...change } }], { jwt });

  it.each<[string, Partial<TokenTerms>]>([
    ["the same terms", {}],
    ["fewer keys", { keys: { keys: [ONE ?? {}] } }],
    ["a key with a narrowing member", { keys: { keys: [{ ...ONE, alg: "EdDSA", kid: "one" }] } }],
    ["one of the values of a claim", { requiredClaims: { azp: "a", scope: { word: "read" } } }],
    ["a whole text with the word in it", { requiredClaims: { azp: ["b"], scope: "write read" } }],
    ["one claim more", { requiredClaims: { ...jwt.requiredClaims, sub: "s" } }],
    ["less skew", { clockSkew: 0 }],
    ["shorter lives", { maxLifetime: 60 }],
  ])("are within where they have %s", async (_, change) => {
    expect(await within(change)).toBe(true);
  });

  it.each<[string, Partial<TokenTerms>]>([
    ["another issuer", { issuer: "https://idp.example/" }],
    ["another audience", { audience: "boxes" }],
    ["another key", { keys: { keys: [{ ...ONE, x: "3".repeat(43) }] } }],
    ["a key beside the accepted ones", { keys: { keys: [ONE ?? {}, { ...ONE, x: "3".repeat(43) }] } }],
    ["another value of a claim", { requiredClaims: { azp: "c", scope: { word: "read" } } }],
    ["a value beside the accepted ones", { requiredClaims: { azp: ["a", "c"], scope: { word: "read" } } }],
    ["a number for a text", { requiredClaims: { azp: 1, scope: { word: "read" } } }],
    ["a claim less", { requiredClaims: { azp: "a" } }],
    ["no claims", { requiredClaims: {} }],
    ["a word within a word", { requiredClaims: { azp: "a", scope: "reader" } }],
    ["a list for a text of words", { requiredClaims: { azp: "a", scope: { item: "read" } } }],
    ["more skew", { clockSkew: 31 }],
    ["longer lives", { maxLifetime: 3601 }],
  ])("go beyond where they have %s", async (_, change) => {
    expect(await within(change)).toBe(false);
  });

  it("have an algorithm more only where a key can use it", async () => {
    const pinned = { url: "https://idp.example/keys", thumbprints: [await jwkThumbprint(ONE ?? {})] };
    expect(await within({ algorithms: ["EdDSA", "ES256"] })).toBe(true);
    expect(await within({ keys: pinned })).toBe(true);
    expect(await within({ keys: pinned, algorithms: ["EdDSA", "ES256"] })).toBe(false);
  });

  it("have the same keys by thumbprint as in full, whatever the URL", async () => {
    const thumbprints = await Promise.all([ONE, TWO].map((each) => jwkThumbprint(each ?? {})));
    const accepted = { ...jwt, keys: { url: "https://elsewhere.example/keys", thumbprints } };
    expect(await isAccepted([{ jwt }], { jwt: accepted })).toBe(true);
    const fewer = { ...jwt, keys: { url: "https://elsewhere.example/keys", thumbprints: thumbprints.slice(1) } };
    expect(await isAccepted([{ jwt }], { jwt: fewer })).toBe(false);
  });

  it("may be written as in blindbox.yml, where what is left out is the default", async () => {
    const { issuer, audience, keys, algorithms } = jwt;
    expect(await isAccepted([{ jwt }], { jwt: { issuer, audience, keys, algorithms } })).toBe(true);
    expect(
      await isAccepted([{ jwt: { ...jwt, maxLifetime: 7200 } }], { jwt: { issuer, audience, keys, algorithms } }),
    ).toBe(false);
  });
});

describe("callers with certificates", () => {
  it.each<[string, object, boolean]>([
    ["the same terms", certificate, true],
    ["any subject accepted", { ...certificate, subject: "any" }, true],
    ["any alternative name accepted", { ...certificate, san: null }, true],
    ["another issuer", { ...certificate, issuer: OTHER }, false],
    ["another alternative name", { ...certificate, san: { dns: "other.example" } }, false],
    ["another kind of name", { ...certificate, san: { uri: "dns:host.example" } }, false],
    ["another subject", { ...certificate, subject: [{ type: "CN", value: "Host" }] }, false],
    [
      "a subject with one attribute more",
      { ...certificate, subject: [...certificate.subject, { type: "O", value: "a" }] },
      false,
    ],
  ])("with %s", async (_, accepted, isWithin) => {
    expect(await isAccepted([{ certificate }], { certificate: accepted } as RequiredPrincipal)).toBe(isWithin);
  });

  it("of anybody go beyond those of somebody", async () => {
    const anybody = { ...certificate, subject: "any" as const, san: null };
    expect(await isAccepted([{ certificate: anybody }], { certificate })).toBe(false);
    expect(await isAccepted([{ certificate: anybody }], { certificate: { issuer: KEY_DIGEST, subject: "any" } })).toBe(
      true,
    );
  });

  it("may be written as in blindbox.yml", async () => {
    const written = { issuer: KEY_DIGEST, subject: [{ CN: "host" }] };
    expect(await isAccepted([{ certificate }], { certificate: written })).toBe(true);
  });
});

describe("callers with several credentials", () => {
  const both: readonly Factor[] = [keyFactor, { certificate }];

  it("are within each of them, and within both in any order", async () => {
    expect(await isAccepted(both, { apiKey: KEY_DIGEST })).toBe(true);
    expect(await isAccepted(both, { certificate })).toBe(true);
    expect(await isAccepted(both, { allOf: [...both].reverse() })).toBe(true);
    expect(await isAccepted([...both, { jwt }], { allOf: both })).toBe(true);
  });

  it("go beyond where one of those that are required is missing", async () => {
    expect(await isAccepted([keyFactor], { allOf: both })).toBe(false);
    expect(await isAccepted([keyFactor, { jwt }], { allOf: both })).toBe(false);
    expect(await isAccepted([{ apiKey: OTHER }, { certificate }], { allOf: both })).toBe(false);
  });
});

describe("callers without credentials", () => {
  it("are accepted only where that was written", async () => {
    const { rules } = small.access;
    expect(await beyond({ rules }, [])).toEqual(["access.rules[0].allow: anonymous"]);
    expect(await beyond({ rules }, [{ anonymous: true }])).toEqual([]);
  });

  it("being accepted, callers with credentials are not", async () => {
    expect(await isAccepted([keyFactor], { anonymous: true })).toBe(false);
  });
});

describe("auditors", () => {
  const principals: readonly Principal[] = [
    { id: "alice", apiKey: KEY_DIGEST, audit: true },
    { id: "host", certificate, audit: true },
  ];
  const accepted = [{ apiKey: KEY_DIGEST }, { certificate }];

  it.each<[string, ManifestRequirement["audit"], number]>([
    ["true", true, 0],
    ["false", false, 2],
    ["the key of one", { subsetOf: [{ apiKey: KEY_DIGEST }] }, 1],
    ["both", { subsetOf: accepted }, 0],
    ["others", { subsetOf: [{ apiKey: OTHER }] }, 2],
  ])("are accepted by their key material: %s", async (_, audit, strangers) => {
    const differences = await beyond({ principals, mutualTls: { port: 8444 } }, accepted, audit);
    expect(differences).toEqual(
      ["access.principals[0].audit: true", "access.principals[1].audit: true"].slice(2 - strangers),
    );
  });
});
