import {
  type Access,
  type AccessRule,
  type AccessDecider,
  type AccessDecision,
  createAccessDecider,
  type Limits,
  type Manifest,
  type PolicyChange,
  policyDiff,
  type PresentedFacts,
  type TokenTerms,
} from "@blindbox/manifest";
import { parseManifestSource, resolveManifest } from "@blindbox/manifest/source";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IMAGE, SMALL_YAML } from "./documents.ts";
import type { Asked } from "./reference/naive.ts";
import { anyAccess, anyRequest, LIMITS, named, NOW, rule } from "./reference/world.ts";

const { manifest: source } = parseManifestSource(SMALL_YAML, { format: "yaml" });
const small = resolveManifest(source, IMAGE);

const withAccess = (access: Access): Manifest => ({ ...small, access });

/** The same in other words, with less, or with something else in one place. */
function changed(access: Access): fc.Arbitrary<Access> {
  const { principals, rules } = access;
  const ids = principals.map(({ id }) => id);
  const keep = fc.subarray([...rules]).map((kept) => ({ ...access, rules: kept }));
  const more = rule(ids).map((each) => ({ ...access, rules: [...rules, each] }));
  const shuffled = fc
    .shuffledSubarray([...rules], { minLength: rules.length })
    .map((all) => ({ ...access, rules: all }));
  const tweaked = fc
    .tuple(fc.nat(), rule(ids), fc.constantFrom("upgrade", "headers", "path", "methods", "allow", "limits", "audit"))
    .map(([at, other, member]) => ({
      ...access,
      rules: rules.map((each, index) =>
        index === at % rules.length ? { ...each, [member]: other[member as "path"] } : each,
      ),
    }));
  const replaced = fc.tuple(fc.nat(), named("p9")).map(([at, other]) => ({
    ...access,
    principals: principals.map((each, index) => (index === at % principals.length ? { ...other, id: each.id } : each)),
  }));
  const renamed = fc.constant({
    ...access,
    principals: principals.map((each) => ({ ...each, id: `${each.id}-x` })),
    rules: rules.map((each) => ({ ...each, allow: each.allow.map((id) => (id === "anonymous" ? id : `${id}-x`)) })),
  });
  return fc.oneof(fc.constant(access), keep, more, shuffled, tweaked, tweaked, replaced, renamed, anyAccess);
}

/** What somebody could present instead: each credential, or not. */
function partsOf(facts: PresentedFacts): readonly PresentedFacts[] {
  return [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => ({
    apiKey: (bits & 1) === 0 ? facts.apiKey : null,
    token: (bits & 2) === 0 ? facts.token : null,
    certificate: (bits & 4) === 0 ? facts.certificate : null,
  }));
}

function decide(
  decider: AccessDecider,
  { method, target, upgrade, headers }: Asked,
  facts: PresentedFacts,
): AccessDecision {
  const identity = decider.identify(facts, NOW);
  return decider.decide({ identity, method, target, upgrade, headers: (name) => headers[name] ?? [] });
}

function admits(decider: AccessDecider, asked: Asked, facts: PresentedFacts): boolean {
  return decide(decider, asked, facts).allowed;
}

/** Does the first grant whatever the second does, and record no more? */
function grants(one: AccessDecision, other: AccessDecision): boolean {
  if (!one.allowed || !other.allowed) return false;
  const names = Object.keys(other.limits) as (keyof Limits)[];
  return names.every((name) => one.limits[name] >= other.limits[name]) && (other.audit || !one.audit);
}

function audits(decider: AccessDecider, facts: PresentedFacts): boolean {
  const identity = decider.identify(facts, NOW);
  return identity.known && identity.audit;
}

const pairs = anyAccess.chain((before) =>
  changed(before).chain((after) =>
    fc.record({
      before: fc.constant(before),
      after: fc.constant(after),
      requests: fc.array(fc.oneof(anyRequest(after), anyRequest(before)), { minLength: 10, maxLength: 20 }),
    }),
  ),
);

const OPEN = { ...LIMITS, requestsPerMinute: 1 };

/** Tokens of one issuer that are often several principals at once, and rules that all of them meet. */
const crowd: fc.Arbitrary<{ readonly before: Access; readonly after: Access }> = fc
  .tuple(crowdOf(), crowdOf(), fc.boolean())
  .chain(([before, after, isOther]) =>
    fc
      .record({
        principals: fc.subarray([...before.principals]),
        rules: fc.shuffledSubarray([...before.rules]),
      })
      .map((kept) => ({ before, after: isOther ? after : withoutStrangers({ ...before, ...kept }) })),
  );

function crowdOf(): fc.Arbitrary<Access> {
  const ids = ["p1", "p2", "p3"];
  const claims = fc.record<TokenTerms["requiredClaims"]>(
    { role: fc.constantFrom("admin", ["admin", "user"]), sub: fc.constant("s1"), groups: fc.constant({ item: "g" }) },
    { requiredKeys: [], noNullPrototype: true },
  );
  const terms = claims.map((requiredClaims): TokenTerms => {
    const keys = { url: "https://idp.example.com/keys", thumbprints: ["A".repeat(43)] };
    const issuer = "https://i1.example";
    return { issuer, audience: "a1", keys, algorithms: ["EdDSA"], requiredClaims, clockSkew: 0, maxLifetime: 600 };
  });
  const rules = fc.record<AccessRule>({
    allow: fc.shuffledSubarray(ids, { minLength: 1 }),
    methods: fc.constant(["GET"]),
    path: fc.constantFrom("/**", "/a"),
    headers: fc.constant({}),
    upgrade: fc.constant("none"),
    audit: fc.boolean(),
    limits: fc.constantFrom(OPEN, { ...OPEN, requestsPerMinute: 600 }),
  });
  return fc.record<Access>({
    principals: fc.tuple(...ids.map((id) => terms.map((jwt) => ({ id, audit: false, jwt })))).map((each) => [...each]),
    rules: fc.array(rules, { maxLength: 3 }),
    mutualTls: fc.constant(null),
  });
}

function withoutStrangers({ principals, rules, mutualTls }: Access): Access {
  const ids = new Set(principals.map(({ id }) => id));
  const known = rules.map((each) => ({ ...each, allow: each.allow.filter((id) => ids.has(id)) }));
  return { principals, rules: known.filter(({ allow }) => allow.length > 0), mutualTls };
}

/** A token that is as many of them as one can be, or fewer. */
const crowdFacts: fc.Arbitrary<PresentedFacts> = fc
  .record({ role: fc.constant("admin"), sub: fc.constant("s1"), groups: fc.constant(["g"]) }, { requiredKeys: [] })
  .map((claims) => {
    const all = { ...claims, iss: "https://i1.example", aud: "a1", iat: NOW - 100, exp: NOW + 500 };
    return { apiKey: null, certificate: null, token: { algorithm: "EdDSA", key: "A".repeat(43), claims: all } };
  });

function has(changes: readonly PolicyChange[], direction: string, part: string): boolean {
  return changes.some((change) => change.direction === direction && change.part === part);
}

describe("for random pairs of Manifests", () => {
  it("where nothing became wider the one before admits whatever the one after does, and the reverse", async () => {
    const seen = { unwidened: 0, widened: 0, unnarrowed: 0, narrowed: 0, granted: 0 };
    await fc.assert(
      fc.asyncProperty(pairs, async ({ before, after, requests }) => {
        const changes = await policyDiff(withAccess(before), withAccess(after));
        const [old, now] = await Promise.all([before, after].map((access) => createAccessDecider({ access })));
        if (old === undefined || now === undefined) throw new Error("two deciders");
        const [wider, narrower] = [has(changes, "wider", "access"), has(changes, "narrower", "access")];
        seen[wider ? "widened" : "unwidened"] += 1;
        seen[narrower ? "narrowed" : "unnarrowed"] += 1;
        for (const asked of requests) {
          const parts = partsOf(asked.facts);
          if (!wider && admits(now, asked, asked.facts)) {
            expect(parts.some((facts) => admits(old, asked, facts))).toBe(true);
          }
          const granted = decide(now, asked, asked.facts);
          if (!changes.some(({ direction }) => direction === "wider") && granted.allowed) {
            const [whole] = parts.map((facts) => decide(old, asked, facts));
            const wanted = whole?.allowed === true ? [whole] : parts.map((facts) => decide(old, asked, facts));
            expect(wanted.some((each) => grants(each, granted))).toBe(true);
            seen.granted += 1;
            if (whole?.allowed === true && !changes.some(({ words }) => words.includes("another name"))) {
              expect(granted.principal).toBe(whole.principal);
            }
          }
          if (!narrower && admits(old, asked, asked.facts)) {
            expect(parts.some((facts) => admits(now, asked, facts))).toBe(true);
          }
          if (!has(changes, "wider", "audit") && audits(now, asked.facts)) {
            expect(parts.some((facts) => audits(old, facts))).toBe(true);
          }
        }
      }),
      { numRuns: 1500 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(150);
  });

  it("whoever is several principals at once is granted no more where nothing became wider, and named as before", async () => {
    const seen = { granted: 0, alike: 0 };
    await fc.assert(
      fc.asyncProperty(crowd, fc.array(crowdFacts, { minLength: 4, maxLength: 8 }), async ({ before, after }, all) => {
        const changes = await policyDiff(withAccess(before), withAccess(after));
        const [old, now] = await Promise.all([before, after].map((access) => createAccessDecider({ access })));
        if (old === undefined || now === undefined) throw new Error("two deciders");
        for (const [facts, target] of all.flatMap((each) => ["/a", "/b"].map((path) => [each, path] as const))) {
          const asked = { facts, method: "GET", target, upgrade: null, headers: {} };
          const [then, granted] = [decide(old, asked, facts), decide(now, asked, facts)];
          if (!granted.allowed) continue;
          if (!changes.some(({ direction }) => direction === "wider")) {
            expect(grants(then, granted)).toBe(true);
            seen.granted += 1;
          }
          if (then.allowed && !has(changes, "changed", "access")) {
            expect(granted.principal).toBe(then.principal);
            seen.alike += 1;
          }
        }
      }),
      { numRuns: 3000 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(1000);
  });

  it("a change is found from both sides, and none where there is none", async () => {
    const one = anyAccess.chain((before) => fc.tuple(fc.constant(before), changed(before)));
    await fc.assert(
      fc.asyncProperty(one, async ([before, after]) => {
        expect(await policyDiff(withAccess(before), withAccess(before))).toEqual([]);
        const there = await policyDiff(withAccess(before), withAccess(after));
        const back = await policyDiff(withAccess(after), withAccess(before));
        const paths = (changes: readonly PolicyChange[], direction: string): readonly string[] =>
          changes
            .filter((each) => each.direction === direction && each.part === "access")
            .map(({ path }) => path)
            .toSorted();
        expect(paths(there, "wider").filter(isRule)).toEqual(paths(back, "narrower").filter(isRule));
        expect(paths(there, "narrower").filter(isRule)).toEqual(paths(back, "wider").filter(isRule));
      }),
      { numRuns: 600 },
    );
  });

  it("the same callers under other names are no change, but of the names that the application is told", async () => {
    await fc.assert(
      fc.asyncProperty(anyAccess, async (access) => {
        const renamed = {
          ...access,
          principals: access.principals.map((each) => ({ ...each, id: `${each.id}-x` })),
          rules: access.rules.map((each) => ({
            ...each,
            allow: each.allow.map((id) => (id === "anonymous" ? id : `${id}-x`)),
          })),
        };
        const changes = await policyDiff(withAccess(access), withAccess(renamed));
        expect(changes.filter(({ words }) => !words.includes("is told another name"))).toEqual([]);
        expect(changes.filter(({ direction }) => direction !== "changed")).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

function isRule(path: string): boolean {
  return /^access\.rules\[[0-9]+\]$/.test(path);
}
