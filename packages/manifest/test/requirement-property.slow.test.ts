import {
  type Access,
  type CheckedPrincipal,
  type CheckedRequirement,
  compareRequirement,
  createAccessDecider,
  type Factor,
  type Manifest,
  type PresentedFacts,
} from "@blindbox/manifest";
import { parseManifestSource, resolveManifest } from "@blindbox/manifest/source";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IMAGE, SMALL_YAML } from "./documents.ts";
import { type Asked, naiveHolds } from "./reference/naive.ts";
import { anyAccess, anyFactors, anyRequest, NOW, THUMBPRINTS } from "./reference/world.ts";

const { manifest: source } = parseManifestSource(SMALL_YAML, { format: "yaml" });
const small = resolveManifest(source, IMAGE);

/** Does this requirement accept whoever presented these credentials, read as plainly as can be? */
function accepts(accepted: readonly CheckedPrincipal[], facts: PresentedFacts): boolean {
  const isNobody = Object.values(facts).every((each) => each === null);
  return accepted.some((each) => {
    if ("anonymous" in each) return isNobody;
    return !isNobody && each.factors.every((factor) => naiveHolds(factor, facts, NOW, THUMBPRINTS));
  });
}

/** Accepted callers that are often those of the Manifest, or wider ones, or nearly so. */
function acceptedNear({ principals }: Access): fc.Arbitrary<readonly CheckedPrincipal[]> {
  const known = principals.map((each) => ("allOf" in each ? each.allOf : [each]));
  const part = fc
    .tuple(...known.map((factors) => fc.subarray([...factors], { minLength: 1 })))
    .map((all) => all.map((factors) => ({ factors: factors.map(materialOf) })));
  const wider = part.chain((all) =>
    fc
      .tuple(...all.map(({ factors }) => fc.tuple(...factors.map(widened))))
      .map((each) => each.map((factors) => ({ factors }))),
  );
  // More credentials than the Manifest wants: what is accepted is narrower then.
  const narrower = part.chain((all) =>
    fc
      .tuple(...all.map(({ factors }) => anyFactors.map((more) => [...factors, ...more])))
      .map((each) => each.map((factors) => ({ factors }))),
  );
  const strange = fc.array(
    anyFactors.map((factors) => ({ factors })),
    { maxLength: 3 },
  );
  const anonymous = fc.constantFrom<readonly CheckedPrincipal[]>([], [{ anonymous: true }]);
  return fc.tuple(fc.oneof(part, wider, narrower), strange, anonymous).map((lists) => lists.flat());
}

function materialOf(factor: Factor): Factor {
  if ("apiKey" in factor) return { apiKey: factor.apiKey };
  return "jwt" in factor ? { jwt: factor.jwt } : { certificate: factor.certificate };
}

function widened(factor: Factor): fc.Arbitrary<Factor> {
  if ("apiKey" in factor) return fc.constant(factor);
  if ("certificate" in factor) {
    return fc.constantFrom<Factor>(
      factor,
      { certificate: { ...factor.certificate, san: null } },
      {
        certificate: { ...factor.certificate, subject: "any" },
      },
    );
  }
  const { jwt } = factor;
  const { keys } = jwt;
  const oneKey = "url" in keys ? { ...keys, thumbprints: keys.thumbprints.slice(1) } : { keys: keys.keys.slice(0, 1) };
  const claims = Object.entries(jwt.requiredClaims).map(([name, term]) => [name, Array.isArray(term) ? term[0] : term]);
  const changes = [
    { keys: oneKey },
    { requiredClaims: Object.fromEntries(claims) },
    {},
    { requiredClaims: {} },
    { clockSkew: 30 },
    { maxLifetime: 3600 },
    { clockSkew: 0 },
    { maxLifetime: 600 },
  ];
  return fc.constantFrom(...changes.map((change): Factor => ({ jwt: { ...jwt, ...change } })));
}

interface Case {
  readonly access: Access;
  readonly requirement: CheckedRequirement;
  readonly requests: readonly Asked[];
}

const cases: fc.Arbitrary<Case> = anyAccess.chain((access) =>
  fc.record({
    access: fc.constant(access),
    requests: fc.array(anyRequest(access), { minLength: 10, maxLength: 20 }),
    requirement: fc
      .tuple(acceptedNear(access), acceptedNear(access), fc.boolean(), fc.boolean(), fc.constantFrom(true, false, null))
      .map(
        ([subsetOf, auditors, websocket, recorded, audit]): CheckedRequirement => ({
          app: { image: "any" },
          access: { principals: { subsetOf }, websocket, recorded },
          egress: { subsetOf: [], modes: [] },
          logs: "none",
          operations: { health: "live", metrics: "none" },
          audit: audit ?? { subsetOf: auditors },
        }),
      ),
  }),
);

describe("for random Manifests and random requirements", () => {
  it("a part that is within lets the decider do nothing that the requirement forbids", async () => {
    const seen = { within: 0, beyond: 0, admitted: 0, audited: 0, upgraded: 0, recorded: 0 };
    await fc.assert(
      fc.asyncProperty(cases, async ({ access, requirement, requests }) => {
        const manifest: Manifest = { ...small, access };
        const beyond = new Set((await compareRequirement(manifest, requirement)).map(({ part }) => part));
        seen[beyond.has("principals") ? "beyond" : "within"] += 1;
        const decider = await createAccessDecider(manifest);
        for (const { facts, method, target, upgrade, headers: sent } of requests) {
          const identity = decider.identify(facts, NOW);
          if (identity.known && identity.audit && !beyond.has("audit") && typeof requirement.audit === "object") {
            seen.audited += 1;
            expect(accepts(requirement.audit.subsetOf, facts)).toBe(true);
          }
          if (requirement.audit === false && !beyond.has("audit")) expect(identity.known && identity.audit).toBe(false);
          const headers = (name: string): readonly string[] => sent[name] ?? [];
          const decision = decider.decide({ identity, method, target, upgrade, headers });
          if (!decision.allowed) continue;
          if (!beyond.has("principals")) {
            seen.admitted += 1;
            expect(accepts(requirement.access.principals.subsetOf, facts)).toBe(true);
          }
          if (upgrade !== null && !beyond.has("websocket")) {
            seen.upgraded += 1;
            expect(requirement.access.websocket).toBe(true);
          }
          if (requirement.access.recorded && !beyond.has("recorded")) {
            seen.recorded += 1;
            expect(decision.audit).toBe(true);
          }
        }
      }),
      { numRuns: 4000 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(50);
  });
});
