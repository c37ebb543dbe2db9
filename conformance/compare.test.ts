/** What the comparing lets through: a verdict that says less than it should is none that matches. */
import { afterEach, expect, test, vi } from "vitest";
import { compareVerdict } from "./compare.ts";
import { vectorsFolder } from "./vectors.ts";

afterEach(() => vi.unstubAllEnvs());

const refusal = { verdict: "rejected", code: "bad-signature" } as const;

test("a refusal needs one of the expected codes, and a refusal without a code has none of them", () => {
  expect(compareVerdict(refusal, { ...refusal, claims: {} })).toEqual([]);
  expect(compareVerdict(refusal, { ...refusal, code: "expired", claims: {} })).toEqual([
    "code: expected bad-signature, got expired",
  ]);
  expect(compareVerdict(refusal, { verdict: "malformed", code: null, claims: {} })).toEqual([
    "code: expected bad-signature, got none",
  ]);
  const either = { ...refusal, codes: ["expired"] } as const;
  expect(compareVerdict(either, { ...refusal, code: "expired", claims: {} })).toEqual([]);
});

test("what is accepted must be expected to be, with every claim", () => {
  expect(compareVerdict(refusal, { verdict: "accepted", code: null, claims: {} })).toHaveLength(1);
  const accepted = { verdict: "accepted", claims: { vmpl: 0 } } as const;
  expect(compareVerdict(accepted, { verdict: "accepted", code: null, claims: { vmpl: 0 } })).toEqual([]);
  expect(compareVerdict(accepted, { verdict: "accepted", code: null, claims: {} })).toEqual([
    "claim vmpl: expected 0, got nothing",
  ]);
  expect(compareVerdict(accepted, { ...refusal, claims: { vmpl: 0 } })).toHaveLength(1);
});

test("a folder of vectors that is named and not there is an error, and not a reason to skip", () => {
  vi.stubEnv("BLINDBOX_VECTORS", "./no-such-folder");
  expect(() => vectorsFolder()).toThrow("BLINDBOX_VECTORS: expected a folder");
});
