import { createAccessDecider } from "@blindbox/manifest";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { naiveCallers, naiveDecision } from "./reference/naive.ts";
import { anyAccess, anyRequest, NOW, THUMBPRINTS } from "./reference/world.ts";

describe("the indexed decider", () => {
  it("knows the same callers and decides the same as a naive reading of the Manifest", async () => {
    let [admitted, several, combined] = [0, 0, 0];
    const cases = anyAccess.chain((access) =>
      fc.tuple(fc.constant(access), fc.array(anyRequest(access), { minLength: 5, maxLength: 20 })),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ([access, requests]) => {
        const decider = await createAccessDecider({ access });
        for (const asked of requests) {
          const identity = decider.identify(asked.facts, NOW);
          const known = naiveCallers(access.principals, asked.facts, NOW, THUMBPRINTS);
          const isNobody = Object.values(asked.facts).every((each) => each === null);
          expect(identity.known ? identity.ids : []).toEqual(isNobody ? ["anonymous"] : known.map(({ id }) => id));
          expect(identity.known && identity.audit).toBe(known.some(({ audit }) => audit));
          const { method, target, upgrade } = asked;
          const headers = (name: string): readonly string[] => asked.headers[name as "x-a"] ?? [];
          const decision = decider.decide({ identity, method, target, upgrade, headers });
          expect(decision).toEqual(naiveDecision(access, asked, NOW, THUMBPRINTS));
          if (decision.allowed) admitted += 1;
          if (known.length > 1) several += 1;
          if (known.some((each) => "allOf" in each)) combined += 1;
        }
      }),
      { numRuns: 4000 },
    );
    // The world would be too small, or too strange, if what matters came seldom.
    expect(Math.min(admitted, combined)).toBeGreaterThan(1000);
    expect(several).toBeGreaterThan(20);
  });
});
