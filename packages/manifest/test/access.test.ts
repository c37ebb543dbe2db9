import { type AccessDecision, createAccessDecider, type Manifest, readTarget } from "@blindbox/manifest";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

const LIMITS = { body: 1, requestsPerMinute: 1, concurrent: 1 };

const key = (letter: string): string => `sha256:${letter.repeat(64)}`;

function decide(
  rules: readonly (readonly [allow: readonly string[], methods: readonly string[], path: string])[],
  request: readonly [key: string | null, method: string, target: string],
): AccessDecision {
  const [apiKeyDigest, method, target] = request;
  return createAccessDecider(manifestOf(rules)).decide({ apiKeyDigest, method, target });
}

function manifestOf(
  rules: readonly (readonly [readonly string[], readonly string[], string])[],
): Pick<Manifest, "access"> {
  const access = {
    principals: [
      { id: "alice", apiKey: key("a"), audit: false },
      { id: "bob", apiKey: key("b"), audit: false },
      { id: "carol", certificate: { issuer: key("c") } },
    ],
    rules: rules.map(([allow, methods, path]) => ({ allow, methods: methods as "GET"[], path, limits: LIMITS })),
  };
  return { access };
}

/** The rules once more, as plainly as can be: over segments, with nothing compiled. */
function naive(
  manifest: Pick<Manifest, "access">,
  apiKey: string | null,
  method: string,
  target: string,
): AccessDecision {
  const path = readTarget(target)?.plainPath;
  if (path === undefined || `${path}/`.startsWith("/.well-known/blindbox/"))
    return { allowed: false, reason: "bad-target" };
  let caller = "anonymous";
  if (apiKey !== null) {
    const known = manifest.access.principals.filter((each) => "apiKey" in each && each.apiKey === apiKey);
    if (known[0] === undefined) return { allowed: false, reason: "unauthenticated" };
    caller = known[0].id;
  }
  for (const [index, rule] of manifest.access.rules.entries()) {
    const names = rule.allow.some((id) => id === caller) && rule.methods.some((each) => each === method);
    if (names && segmentsMatch(rule.path.split("/"), path.split("/"))) {
      return { allowed: true, rule: index, principal: caller, limits: rule.limits };
    }
  }
  return { allowed: false, reason: apiKey === null ? "unauthenticated" : "forbidden" };
}

function segmentsMatch(pattern: readonly string[], path: readonly string[]): boolean {
  if (pattern.length === 0) return path.length === 0;
  if (pattern[0] === "**") return path.length > 0;
  return pattern[0] === path[0] && segmentsMatch(pattern.slice(1), path.slice(1));
}

describe("the access decider", () => {
  it("refuses everything where no rule is", () => {
    expect(decide([], [null, "GET", "/"])).toEqual({ allowed: false, reason: "unauthenticated" });
    expect(decide([], [key("a"), "GET", "/"])).toEqual({ allowed: false, reason: "forbidden" });
  });

  it("takes the first rule that matches", () => {
    const rules = [
      [["bob"], ["GET"], "/a/**"],
      [["alice"], ["GET"], "/a/b"],
      [["alice"], ["GET"], "/**"],
    ] as const;
    expect(decide(rules, [key("a"), "GET", "/a/b"])).toMatchObject({ allowed: true, rule: 1, principal: "alice" });
    expect(decide(rules, [key("a"), "GET", "/a/c"])).toMatchObject({ allowed: true, rule: 2 });
    expect(decide(rules, [key("b"), "GET", "/c"])).toEqual({ allowed: false, reason: "forbidden" });
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
  ])("path %s and target %s: %s", (path, target, allowed) => {
    expect(decide([[["alice"], ["GET"], path]], [key("a"), "GET", target]).allowed).toBe(allowed);
  });

  it("compares methods exactly", () => {
    for (const method of ["get", "GET ", "POST", "", "HEAD"]) {
      expect(decide([[["alice"], ["GET"], "/**"]], [key("a"), method, "/"]).allowed).toBe(false);
    }
  });

  it("refuses an unknown key even where anonymous is allowed", () => {
    const rules = [[["anonymous"], ["GET"], "/**"]] as const;
    expect(decide(rules, [key("f"), "GET", "/"])).toEqual({ allowed: false, reason: "unauthenticated" });
    expect(decide(rules, [null, "GET", "/"])).toMatchObject({ allowed: true, principal: "anonymous" });
  });

  it("does not count a principal as anonymous", () => {
    expect(decide([[["anonymous"], ["GET"], "/**"]], [key("a"), "GET", "/"]).allowed).toBe(false);
  });

  it("knows no caller by the digest of a certificate issuer", () => {
    expect(decide([[["carol"], ["GET"], "/**"]], [key("c"), "GET", "/"])).toEqual({
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
  ])("never lets %s through to the application", (target) => {
    const rules = [
      [["anonymous", "alice"], ["GET", "POST"], "/**"],
      [["anonymous"], ["GET"], "/.well-known/**"],
    ] as const;
    expect(decide(rules, [null, "GET", target])).toEqual({ allowed: false, reason: "bad-target" });
    expect(decide(rules, [key("a"), "POST", target])).toEqual({ allowed: false, reason: "bad-target" });
  });

  it("lets the neighbours of its own folder through", () => {
    for (const target of ["/.well-known/blindboxes", "/.well-known/acme", "/a/.well-known/blindbox/x"]) {
      expect(decide([[["anonymous"], ["GET"], "/**"]], [null, "GET", target]).allowed).toBe(true);
    }
  });

  it("decides as a naive reading of the rules does", () => {
    const segment = fc.constantFrom("", "/a", "/b", "/ab", "/a%20b", "/.well-known", "/blindbox");
    const plain = fc.constantFrom("/a", "/b", "/ab", "/.well-known");
    const pattern = fc
      .tuple(fc.array(plain, { maxLength: 3 }), fc.constantFrom("/", "/**", ""))
      .map(([segments, end]) => segments.join("") + end || "/");
    const target = fc
      .tuple(fc.array(segment, { maxLength: 4 }), fc.constantFrom("", "/", "?q", "/..", "%2f"))
      .map(([segments, end]) => segments.join("") + end);
    const rule = fc.tuple(
      fc.subarray(["alice", "bob", "carol", "anonymous"], { minLength: 1 }),
      fc.subarray(["GET", "POST"], { minLength: 1 }),
      pattern,
    );
    const caller = fc.constantFrom(null, key("a"), key("b"), key("c"), key("d"));
    fc.assert(
      fc.property(
        fc.array(rule, { maxLength: 5 }),
        caller,
        fc.constantFrom("GET", "POST", "PUT"),
        target,
        (rules, who, method, where) => {
          const manifest = manifestOf(rules);
          const decision = createAccessDecider(manifest).decide({ apiKeyDigest: who, method, target: where });
          expect(decision).toEqual(naive(manifest, who, method, where));
        },
      ),
      { numRuns: 10_000 },
    );
  });

  it("never throws, whatever a caller sends", () => {
    const decider = createAccessDecider(manifestOf([[["anonymous"], ["GET"], "/**"]]));
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (method, target) => {
        expect(decider.decide({ method, target, apiKeyDigest: target }).allowed).toBe(false);
      }),
    );
  });
});
