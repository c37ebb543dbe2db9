/** Nearly right evidence, one thing wrong at a time: exactly these checks fail, with exactly these codes. */
import { describe, expect, test } from "vitest";
import { bothKeys, fakeTee, findingsOf, refusals } from "./appraise.ts";
import { authenticateCases } from "./cases/authenticate.ts";
import { chainCases } from "./cases/chain.ts";
import { keyCases } from "./cases/key.ts";
import { parseCases } from "./cases/parse.ts";
import { platformCases } from "./cases/platform.ts";
import type { RefusalCase } from "./cases/refusal.ts";
import { mintEvidence } from "./vendor.ts";

const groups: Readonly<Record<string, readonly RefusalCase[]>> = {
  "a report is malformed": parseCases,
  "a chain is not good": chainCases,
  "Endorsements cannot be used": authenticateCases,
  "the certificate is not the report's": keyCases,
  "the platform is not acceptable": platformCases,
};

describe.each(Object.entries(groups))("%s:", (_name, cases) => {
  test.each(cases)("$name", async ({ change, policy, expected }) => {
    expect(await refusals(change, policy ?? bothKeys)).toEqual(expected);
  });
});

test("every check that right evidence passes fails somewhere here", async () => {
  const right = [{}, { kind: "vlek" } as const].map(async (change) => {
    const { bytes, endorsements } = mintEvidence(change);
    return findingsOf(fakeTee(), bytes, endorsements);
  });
  const made = new Set((await Promise.all(right)).flat().map(({ check }) => check));
  const refused = new Set(
    Object.values(groups)
      .flat()
      .flatMap(({ expected }) => expected.map((line) => line.split(":")[0])),
  );
  expect([...made].filter((check) => !refused.has(check))).toEqual([]);
});

test("nobody's word on the measurement is accepted unless the caller says whose", async () => {
  const endorsements = (right: object): object => ({ ...right, uvm: "AAAA" });
  expect(await refusals({ endorsements })).toEqual(["measurement-endorsement: feed-mismatch"]);
});
