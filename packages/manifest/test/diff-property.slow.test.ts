import {
  type Access,
  createAccessDecider,
  type AccessDecider,
  type Manifest,
  type PolicyChange,
  policyDiff,
  type PresentedFacts,
} from "@blindbox/manifest";
import { parseManifestSource, resolveManifest } from "@blindbox/manifest/source";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IMAGE, SMALL_YAML } from "./documents.ts";
import type { Asked } from "./reference/naive.ts";
import { anyAccess, anyRequest, named, NOW, rule } from "./reference/world.ts";

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
    .tuple(fc.nat(), rule(ids), fc.constantFrom("upgrade", "headers", "path", "methods", "allow"))
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

function admits(decider: AccessDecider, { method, target, upgrade, headers }: Asked, facts: PresentedFacts): boolean {
  const identity = decider.identify(facts, NOW);
  return decider.decide({ identity, method, target, upgrade, headers: (name) => headers[name] ?? [] }).allowed;
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

function has(changes: readonly PolicyChange[], direction: string, part: string): boolean {
  return changes.some((change) => change.direction === direction && change.part === part);
}

describe("for random pairs of Manifests", () => {
  it("where nothing became wider the one before admits whatever the one after does, and the reverse", async () => {
    const seen = { unwidened: 0, widened: 0, unnarrowed: 0, narrowed: 0 };
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

  it("the same callers under other names are no change", async () => {
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
        expect(await policyDiff(withAccess(access), withAccess(renamed))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

function isRule(path: string): boolean {
  return /^access\.rules\[[0-9]+\]$/.test(path);
}
