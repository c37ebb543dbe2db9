/** `verify --self-test`: which altered copies are made of an exchange on each kind of hardware, and what it says of them. */
import type { Tee } from "@blindbox/attestation";
import { isAccepted, verifyRecorded } from "@blindbox/client";
import { describe, expect, test } from "vitest";
import { runSelfTest, type SelfTestOutcome } from "../src/exchange/self-test.ts";
import { stepNames } from "../src/explanations/explanation.ts";
import { hardwareExchange, hardwareKinds, type Hardware } from "./hardware-exchange.ts";

const inside = "one bit of a certificate inside the Evidence";
const endorsements = "one character of the Endorsements";

/** What there is nothing of to alter. */
const absent: Readonly<Record<Hardware, readonly string[]>> = {
  "sev-snp": [inside],
  tdx: [],
  nitro: [endorsements],
  "azure-vtpm on sev-snp": [inside],
  "azure-vtpm on tdx": [],
};

function whats(outcomes: readonly SelfTestOutcome[], outcome: SelfTestOutcome["outcome"]): readonly string[] {
  return outcomes.filter((each) => each.outcome === outcome).map(({ what }) => what);
}

describe.each(hardwareKinds)("on %s", (hardware) => {
  test("every altered copy of an accepted exchange is refused, by the step that has to", async () => {
    const { input, options } = await hardwareExchange(hardware);
    expect(isAccepted(await verifyRecorded(input, options), options)).toBe(true);
    const outcomes = await runSelfTest(input, options);
    expect(whats(outcomes, "accepted")).toEqual([]);
    expect(whats(outcomes, "absent")).toEqual(absent[hardware]);
    const steps = new Set(outcomes.filter(({ outcome }) => outcome === "refused").map(({ step }) => step));
    expect([...steps]).toEqual(stepNames.filter((step) => step !== "release"));
    for (const { checks, outcome } of outcomes) expect(checks.length > 0).toBe(outcome === "refused");
  });
});

/** Verifiers with one hole each: what a self-test is there to find. */
const holes: readonly (readonly [name: string, hole: (tee: Tee) => Tee, found: readonly string[]])[] = [
  [
    "looks at no signature",
    (tee) => withFindings(tee, "authenticate"),
    ["one bit of the Evidence's signature", "one character of the Endorsements"],
  ],
  ["looks at no platform", (tee) => withFindings(tee, "platform"), ["debug mode turned on"]],
  [
    "takes any Evidence for any Statement",
    (tee) => {
      let bound = new Uint8Array();
      const parseEvidence: Tee["parseEvidence"] = (bytes) => {
        const parsed = tee.parseEvidence(bytes);
        bound = new Uint8Array(parsed.bound);
        return parsed;
      };
      return { ...tee, parseEvidence, boundForm: async () => bound };
    },
    ["the Statement's time, by one second"],
  ],
];

/** A TEE whose failures of one step are told as passed. */
function withFindings(tee: Tee, step: "authenticate" | "platform"): Tee {
  const passed = <T extends { readonly status: string }>(all: readonly T[]): T[] =>
    all.map((finding) => ({ ...finding, status: "passed" }));
  return {
    ...tee,
    requiredChecks: ["evidence-signature"],
    parseEvidence: (bytes) => {
      const parsed = tee.parseEvidence(bytes);
      if (step === "platform")
        return { ...parsed, appraisePlatform: (policy) => passed(parsed.appraisePlatform(policy)) };
      const authenticate: typeof parsed.authenticate = async (...args) => {
        const { findings, ...rest } = await parsed.authenticate(...args);
        return { ...rest, findings: passed(findings) };
      };
      return { ...parsed, authenticate };
    },
  };
}

test.each(holes)("a verifier that %s is found out", async (_name, hole, found) => {
  const { input, options, tee } = await hardwareExchange("sev-snp");
  const outcomes = await runSelfTest(input, { ...options, tees: [hole(tee)] });
  expect(whats(outcomes, "accepted")).toEqual(found);
});

test("what fails already shows nothing: its step is not told as having refused the copy", async () => {
  const { input, options } = await hardwareExchange("sev-snp");
  const late = { ...options, now: () => new Date("2050-01-01T00:00:00Z") };
  const outcomes = await runSelfTest(input, late);
  expect(whats(outcomes, "accepted")).toContain("a clock one second beyond what the policy accepts");
});
