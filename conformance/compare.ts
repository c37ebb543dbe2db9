/** The comparing rule of the cases: what a verdict has to share with the expectation. */
import { canonicalJson, type JsonValue } from "@blindbox/encoding";
import type { Expectation, Verdict } from "./case.ts";

/** In what the verdict differs from the expectation, in words; empty where it matches. */
export function compareVerdict(expected: Expectation, actual: Verdict): string[] {
  return [
    ...verdictDifference(expected, actual),
    ...codeDifference(expected, actual),
    ...claimDifferences(expected, actual),
  ];
}

// Binding is only whether it was accepted: where a format ends and a refusal begins, two right verifiers may differ.
function verdictDifference(expected: Expectation, actual: Verdict): string[] {
  const same = (expected.verdict === "accepted") === (actual.verdict === "accepted");
  return same ? [] : [`verdict: expected ${expected.verdict}, got ${actual.verdict} (${actual.code ?? "no code"})`];
}

function codeDifference(expected: Expectation, actual: Verdict): string[] {
  if (expected.verdict === "accepted" || actual.verdict === "accepted") return [];
  const allowed = [...(expected.code === undefined ? [] : [expected.code]), ...(expected.codes ?? [])];
  if (actual.code !== null && allowed.includes(actual.code)) return [];
  return [`code: expected ${allowed.join(" or ")}, got ${actual.code ?? "none"}`];
}

function claimDifferences(expected: Expectation, actual: Verdict): string[] {
  if (actual.verdict === "malformed") return [];
  return Object.entries(expected.claims ?? {})
    .filter(([name, value]) => text(value) !== text(actual.claims[name]))
    .map(([name, value]) => `claim ${name}: expected ${text(value)}, got ${text(actual.claims[name])}`);
}

function text(value: JsonValue | undefined): string {
  return value === undefined ? "nothing" : canonicalJson(value);
}
