/** The Appraisal Policy: what the verifying side accepts. Every member is required; what is not said is not allowed. */
import { distinctTexts, exactMembers, wholeNumber, word } from "./arguments.ts";
import { SELF_TEST_PROBES } from "./self-test.ts";
import { SIMULATED_TCB } from "./simulated/layout.ts";
import type { BindingMode } from "./types.ts";

/** What the verifying side accepts. There are no defaults: start from {@link strictPolicy} and say what differs. */
export interface AppraisalPolicy {
  /** `allow` accepts a TEE whose memory its host may read, as a `warning`. For development only. */
  readonly debug: "refuse" | "allow";
  /** The weakest tie between Evidence and connection that is accepted. `none` lets a thief of the box's key relay. */
  readonly minimumBinding: BindingMode;
  /** How far the box's clock may be from `now`, either way, in seconds. */
  readonly maxClockSkew: number;
  /** Names of the Sandbox drivers that are accepted. Never empty. */
  readonly sandboxDrivers: readonly string[];
  /** The closed list of self-test probes: each must be reported, none more, and all denied. Never empty. */
  readonly selfTestProbes: readonly string[];
  /** How long ago a CRL may have been issued (its thisUpdate), in seconds, however long its issuer calls it good. */
  readonly maxEndorsementAge: number;
  /** The lowest CRL number that is accepted. */
  readonly minCrlNumber: number;
  /** For the TEE `simulated`. */
  readonly simulated: {
    /** The lowest TCB version that is accepted. */
    readonly minTcb: number;
  };
}

const members: readonly (keyof AppraisalPolicy)[] = [
  "debug",
  "minimumBinding",
  "maxClockSkew",
  "sandboxDrivers",
  "selfTestProbes",
  "maxEndorsementAge",
  "minCrlNumber",
  "simulated",
];

/** The strict default. Frozen: a laxer policy is a new object that says what it relaxes. */
export const strictPolicy: AppraisalPolicy = readAppraisalPolicy({
  debug: "refuse",
  minimumBinding: "tls-exporter",
  maxClockSkew: 300,
  sandboxDrivers: ["rooted", "unprivileged"],
  selfTestProbes: SELF_TEST_PROBES,
  maxEndorsementAge: 30 * 24 * 3600,
  minCrlNumber: 0,
  simulated: { minTcb: SIMULATED_TCB },
});

/**
 * A frozen copy of a caller's policy.
 *
 * @throws TypeError naming the path of a member that is missing, unknown or not what it has to be.
 */
export function readAppraisalPolicy(value: unknown): AppraisalPolicy {
  const policy = exactMembers(value, "policy", members);
  const simulated = exactMembers(policy["simulated"], "policy.simulated", ["minTcb"]);
  return Object.freeze({
    debug: word(policy["debug"], "policy.debug", ["refuse", "allow"]),
    minimumBinding: word(policy["minimumBinding"], "policy.minimumBinding", ["tls-exporter", "none"]),
    maxClockSkew: wholeNumber(policy["maxClockSkew"], "policy.maxClockSkew", 0),
    sandboxDrivers: distinctTexts(policy["sandboxDrivers"], "policy.sandboxDrivers"),
    selfTestProbes: distinctTexts(policy["selfTestProbes"], "policy.selfTestProbes"),
    maxEndorsementAge: wholeNumber(policy["maxEndorsementAge"], "policy.maxEndorsementAge", 0),
    minCrlNumber: wholeNumber(policy["minCrlNumber"], "policy.minCrlNumber", 0),
    simulated: Object.freeze({ minTcb: wholeNumber(simulated["minTcb"], "policy.simulated.minTcb", 0) }),
  });
}
