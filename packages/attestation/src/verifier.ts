/** The Verifier: Evidence in, Attestation Result out. `verify` is the table of contents of DESIGN section 5. */
import type { Settings } from "./appraisal.ts";
import { readAppraisalPolicy, type AppraisalPolicy } from "./appraisal-policy.ts";
import { exactMembers, nonEmptyList, word, wrong } from "./arguments.ts";
import { readInput, type VerificationInput } from "./input.ts";
import { TEE_KINDS } from "./json.ts";
import { readReferenceValues } from "./reference-values.ts";
import { resultOf } from "./result.ts";
import { authenticateEvidence } from "./steps/authenticate.ts";
import { compareBinding } from "./steps/binding.ts";
import { compareTlsKey } from "./steps/channel.ts";
import { appraiseFreshness } from "./steps/freshness.ts";
import { compareManifest } from "./steps/manifest.ts";
import { compareMeasurement } from "./steps/measurement.ts";
import { openAppraisal } from "./steps/parse.ts";
import { appraisePlatform } from "./steps/platform.ts";
import { appraiseSandbox } from "./steps/sandbox.ts";
import type { Tee } from "./tee.ts";
import type { AttestationResult, ReferenceValues, TeeKind } from "./types.ts";

/** What a Verifier is made of. Every member is required. */
export interface VerifierOptions {
  /** The kinds of TEE that are accepted: hardware, or the simulator, never both in one Verifier. */
  readonly tees: readonly Tee[];
  /** The complete tuples of the accepted Releases, from a source that the caller trusts. Never empty. */
  readonly referenceValues: readonly ReferenceValues[];
  readonly policy: AppraisalPolicy;
  /** The clock. Validity, revocation and the box's own clock are judged by it. */
  readonly now: () => Date;
}

/** Appraises one Evidence document after another; keeps nothing between them. */
export interface Verifier {
  /**
   * Appraises one document against one connection. Never throws for bad Evidence: every comparison is a Finding, and
   * the status is `contraindicated` where one failed. Does not look into what the Manifest means, nor at the Release's
   * signatures: the client adds those.
   *
   * @throws TypeError for a mistake of the caller's in `input` (a nonce or exporter that is none).
   */
  verify(input: VerificationInput): Promise<AttestationResult>;
}

/**
 * Makes a Verifier.
 *
 * @throws TypeError naming the path of an option that is missing, unknown, empty or not what it has to be; and where the
 * simulator stands beside hardware.
 * @example
 * const verifier = createVerifier({ tees: [simulated({ root })], referenceValues, policy: strictPolicy, now: () => new Date() });
 * const result = await verifier.verify({ document, nonce, channel: { binding: "tls-exporter", exporter }, peerKey: { tlsSpki } });
 */
export function createVerifier(options: VerifierOptions): Verifier {
  const settings = readSettings(options);
  return {
    async verify(input) {
      const opened = openAppraisal(readInput(input), settings, secondsOf(settings.now()));
      const { appraisal, findings } = await authenticateEvidence(opened); // 2
      return resultOf(appraisal, [
        ...appraisal.parsing, // 1
        ...findings,
        ...appraisePlatform(appraisal), // 3
        ...compareMeasurement(appraisal), // 4
        ...(await compareBinding(appraisal)), // 5
        ...(await appraiseFreshness(appraisal)), // 6
        ...(await compareTlsKey(appraisal)), // 7
        ...(await compareManifest(appraisal)), // 8
        ...(await appraiseSandbox(appraisal)), // 9
      ]);
    },
  };
}

function readSettings(value: unknown): Settings & { readonly now: () => Date } {
  const options = exactMembers(value, "options", ["tees", "referenceValues", "policy", "now"]);
  const tees = readTees(options["tees"]);
  const now = options["now"];
  if (typeof now !== "function") wrong("options.now", "a function that returns a Date");
  const policy = readAppraisalPolicy(options["policy"]);
  demandMeasurement(policy, tees);
  return {
    tees,
    referenceValues: readReferenceValues(options["referenceValues"], tees),
    policy,
    now: now as () => Date,
  };
}

/** Without a register of the code any code would do: exceptions are for those alone that their kind of TEE names. */
function demandMeasurement({ exceptions }: AppraisalPolicy, tees: ReadonlyMap<TeeKind, Tee>): void {
  exceptions.forEach(({ tee, check, subject }, at) => {
    if (check !== "reference-values") return;
    // Of a kind that is not accepted at all, nothing is excused.
    const excusable = tees.get(tee)?.excusableRegisters ?? [];
    if (tees.has(tee) && !excusable.includes(subject))
      wrong(
        `policy.exceptions[${at}].subject`,
        `a register without code (of ${tee}: ${excusable.join(", ") || "none"})`,
      );
  });
}

function readTees(value: unknown): ReadonlyMap<TeeKind, Tee> {
  const list = nonEmptyList(value, "options.tees").map((tee, at) => readTee(tee, `options.tees[${at}]`));
  const tees = new Map(list.map((tee) => [tee.kind, tee]));
  if (tees.size !== list.length) wrong("options.tees", "each kind of TEE once");
  if (tees.has("simulated") && tees.size > 1) wrong("options.tees", "the simulator or hardware, never both");
  return tees;
}

const teeMembers = [
  "kind",
  "tuples",
  "requiredChecks",
  "measurementRegister",
  "excusableRegisters",
  "parseEvidence",
  "boundForm",
];

function readTee(value: unknown, path: string): Tee {
  const tee = exactMembers(value, path, teeMembers) as unknown as Tee;
  word(tee.kind, `${path}.kind`, TEE_KINDS);
  // Without a register nothing would be measured, and everything would be equal.
  const shapes = nonEmptyList(tee.tuples, `${path}.tuples`) as Tee["tuples"];
  nonEmptyList(tee.requiredChecks, `${path}.requiredChecks`);
  if (!Array.isArray(tee.excusableRegisters)) wrong(`${path}.excusableRegisters`, "a list; empty where there are none");
  if (!shapes.every((shape) => Object.keys(shape).length > 0)) wrong(`${path}.tuples`, "registers in every shape");
  return tee;
}

function secondsOf(date: Date): number {
  const seconds = Math.floor(date.getTime() / 1000);
  return Number.isSafeInteger(seconds) ? seconds : wrong("options.now()", "a valid Date");
}
