import { type AccessDecision, createAccessDecider, type Manifest, type PresentedFacts } from "@blindbox/manifest";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { key, LIMITS } from "./reference/world.ts";

type Rules = readonly (readonly [allow: readonly string[], methods: readonly string[], path: string])[];

type Request = readonly [key: string | null, method: string, target: string];

async function decide(rules: Rules, [apiKey, method, target]: Request): Promise<AccessDecision> {
  const decider = await createAccessDecider(manifestOf(rules));
  const identity = decider.identify({ apiKey, token: null, certificate: null }, 0);
  return decider.decide({ identity, method, target, upgrade: null, headers: () => [] });
}

function manifestOf(rules: Rules): Pick<Manifest, "access"> {
  const rest = { headers: {}, upgrade: "none" as const, audit: false, limits: LIMITS };
  const access = {
    principals: [
      { id: "alice", apiKey: key("a"), audit: false },
      { id: "bob", apiKey: key("b"), audit: true },
      { id: "carol", certificate: { issuer: key("c"), subject: "any" as const, san: null }, audit: false },
    ],
    rules: rules.map(([allow, methods, path]) => ({ allow, methods: methods as "GET"[], path, ...rest })),
    mutualTls: { port: 8444 },
  };
  return { access };
}

describe("the access decider", () => {
  it("refuses everything where no rule is", async () => {
    expect(await decide([], [null, "GET", "/"])).toEqual({ allowed: false, reason: "unauthenticated" });
    expect(await decide([], [key("a"), "GET", "/"])).toEqual({ allowed: false, reason: "forbidden" });
  });

  it("takes the first rule that matches", async () => {
    const rules = [
      [["bob"], ["GET"], "/a/**"],
      [["alice"], ["GET"], "/a/b"],
      [["alice"], ["GET"], "/**"],
    ] as const;
    expect(await decide(rules, [key("a"), "GET", "/a/b"])).toMatchObject({
      allowed: true,
      rule: 1,
      principal: "alice",
    });
    expect(await decide(rules, [key("a"), "GET", "/a/c"])).toMatchObject({ allowed: true, rule: 2 });
    expect(await decide(rules, [key("b"), "GET", "/c"])).toEqual({ allowed: false, reason: "forbidden" });
  });

  it.each([
    ["/a/**", "/a/", true],
    ["/a/**", "/a/b", true],
    ["/a/**", "/a/b/c/", true],
    ["/a/**", "/a", false],
    ["/a/**", "/ab", false],
    ["/a/**", "/A/b", false],
    ["/a/**", "/", false],
    ["/**", "/", true],
    ["/**", "/x/y", true],
    ["/a", "/a", true],
    ["/a", "/a?x=1", true],
    ["/a", "/a/", false],
    ["/a", "/A", false],
    ["/a/", "/a", false],
    ["/", "/", true],
    ["/", "/a", false],
    ["/x:y@z", "/x%3Ay%40z", true],
  ])("path %s and target %s: %s", async (path, target, allowed) => {
    expect((await decide([[["alice"], ["GET"], path]], [key("a"), "GET", target])).allowed).toBe(allowed);
  });

  it("compares methods exactly", async () => {
    for (const method of ["get", "GET ", "POST", "", "HEAD"]) {
      expect((await decide([[["alice"], ["GET"], "/**"]], [key("a"), method, "/"])).allowed).toBe(false);
    }
  });

  it("refuses an unknown key even where anonymous is allowed", async () => {
    const rules = [[["anonymous"], ["GET"], "/**"]] as const;
    expect(await decide(rules, [key("f"), "GET", "/"])).toEqual({ allowed: false, reason: "unauthenticated" });
    expect(await decide(rules, [null, "GET", "/"])).toMatchObject({ allowed: true, principal: "anonymous" });
  });

  it("does not count a principal as anonymous", async () => {
    expect((await decide([[["anonymous"], ["GET"], "/**"]], [key("a"), "GET", "/"])).allowed).toBe(false);
  });

  it("knows no caller by the digest of a certificate issuer", async () => {
    expect(await decide([[["carol"], ["GET"], "/**"]], [key("c"), "GET", "/"])).toEqual({
      allowed: false,
      reason: "unauthenticated",
    });
  });

  it.each([
    "/.well-known/blindbox/",
    "/.well-known/blindbox",
    "/.well-known/blindbox/attestation",
    "/.well-known/blindbox/attestation?x",
    "/.well-known/blindbox/x/y",
    "/.Well-Known/BlindBox/x",
    "/.well-known//blindbox/x",
    "/.well-known/%62lindbox/x",
    "/x/../.well-known/blindbox/x",
  ])("never lets %s through to the application", async (target) => {
    const rules = [
      [["anonymous", "alice"], ["GET", "POST"], "/**"],
      [["anonymous"], ["GET"], "/.well-known/**"],
    ] as const;
    expect(await decide(rules, [null, "GET", target])).toEqual({ allowed: false, reason: "bad-target" });
    expect(await decide(rules, [key("a"), "POST", target])).toEqual({ allowed: false, reason: "bad-target" });
  });

  it("lets the neighbours of its own folder through", async () => {
    for (const target of ["/.well-known/blindboxes", "/.well-known/acme", "/a/.well-known/blindbox/x"]) {
      expect((await decide([[["anonymous"], ["GET"], "/**"]], [null, "GET", target])).allowed).toBe(true);
    }
  });

  it("never throws, whatever a caller sends", async () => {
    const decider = await createAccessDecider(manifestOf([[["anonymous"], ["GET"], "/**"]]));
    const text = fc.string({ unit: "binary" });
    const facts: fc.Arbitrary<PresentedFacts> = fc.record({
      apiKey: fc.option(text),
      token: fc.option(fc.record({ algorithm: text, key: text, claims: fc.dictionary(text, fc.jsonValue()) })),
      certificate: fc.constant(null),
    });
    fc.assert(
      fc.property(facts, text, text, (presented, method, target) => {
        const identity = decider.identify(presented, 0);
        const request = { identity, method, target, upgrade: target, headers: () => [method] };
        expect(decider.decide(request).allowed).toBe(false);
      }),
    );
  });
});
