/** Step 4: the Evidence equals one complete tuple of one accepted Release, and the Statement belongs to that Release. */
import type { Appraisal } from "../appraisal.ts";
import { inForce } from "../exceptions.ts";
import { compared, skipped } from "../findings.ts";
import type { ParsedEvidence } from "../tee.ts";
import type { Finding, ReferenceValues, Statement } from "../types.ts";

/** Compares register by register with one tuple: the one that fits, or else the one that comes nearest. */
export function compareMeasurement(appraisal: Appraisal): readonly Finding[] {
  const { evidence, statement, referenceValues } = appraisal;
  if (evidence === null) return [unmeasured("There is no readable Evidence.")];
  const tuple = nearestTuple(appraisal);
  if (tuple === null) return [noTuple(referenceValues)];
  return [...compareRegisters(appraisal, evidence, tuple), ...compareStatement(statement, tuple)];
}

/** The tuple that Evidence and Statement equal in every part that no exception names; `null` where there is none. */
export function matchingTuple(appraisal: Appraisal): ReferenceValues | null {
  const tuple = nearestTuple(appraisal);
  return tuple !== null && differences(appraisal, tuple) === 0 ? tuple : null;
}

function nearestTuple(appraisal: Appraisal): ReferenceValues | null {
  const own = appraisal.referenceValues.filter((tuple) => tuple.tee === appraisal.tee?.kind);
  const ranked = own.map((tuple) => ({
    tuple,
    distance: differences(appraisal, tuple),
    // Of two that fit, the one that needs no exception is the Release that runs.
    plain: differingRegisters(appraisal, tuple).length,
  }));
  return ranked.sort((a, b) => a.distance - b.distance || a.plain - b.plain)[0]?.tuple ?? null;
}

// A register outweighs Manifest and runtime together, so that these are compared with the Release that was measured.
function differences(appraisal: Appraisal, tuple: ReferenceValues): number {
  const { statement } = appraisal;
  const excepted = exceptedRegisters(appraisal);
  const registers = differingRegisters(appraisal, tuple).filter((name) => !excepted.has(name)).length;
  const manifest = statement?.manifest === tuple.manifest ? 0 : 1;
  const runtime = statement?.runtime === tuple.runtime ? 0 : 1;
  return 3 * registers + manifest + runtime;
}

function differingRegisters(appraisal: Appraisal, tuple: ReferenceValues): readonly string[] {
  return Object.keys(tuple.registers).filter((name) => !registerHolds(appraisal, appraisal.evidence, tuple, name));
}

/** A register that is not in the Evidence at all is not one that nobody could predict: no exception is for it. */
function exceptedRegisters({ policy, now, tee, evidence }: Appraisal): ReadonlySet<string> {
  const current = inForce({ exceptions: policy.exceptions, tee: tee?.kind ?? null, now });
  const named = current.filter(({ check }) => check === "reference-values").map(({ subject }) => subject);
  return new Set(named.filter((name) => evidence?.registers[name] !== undefined));
}

/** Equal, or at least as high where the register is a security version. */
function registerHolds(
  { tee }: Appraisal,
  evidence: ParsedEvidence | null,
  tuple: ReferenceValues,
  name: string,
): boolean {
  const actual = evidence?.registers[name];
  const expected = tuple.registers[name];
  if (actual === undefined || expected === undefined) return false;
  const atLeast = tee?.tuples.some((shape) => shape[name] === "at-least") ?? false;
  return atLeast ? isDecimal(actual) && BigInt(actual) >= BigInt(expected) : actual === expected;
}

function isDecimal(text: string): boolean {
  return /^[0-9]{1,20}$/.test(text);
}

function unmeasured(reason: string): Finding {
  return skipped("measurement", "reference-values", "one complete tuple of an accepted Release", reason);
}

function noTuple(referenceValues: readonly ReferenceValues[]): Finding {
  return compared({
    step: "measurement",
    check: "reference-values",
    holds: false,
    expected: "Reference Values for this kind of TEE",
    actual: `none among ${referenceValues.length}`,
    passed: "",
    failed: "No accepted Release was measured for this kind of TEE.",
    hint: "Use a Release that was built for this kind of TEE.",
  });
}

function compareRegisters(appraisal: Appraisal, evidence: ParsedEvidence, tuple: ReferenceValues): readonly Finding[] {
  return Object.keys(tuple.registers).map((name) =>
    compared({
      step: "measurement",
      check: "reference-values",
      ...(evidence.registers[name] === undefined ? {} : { subject: name }),
      holds: registerHolds(appraisal, evidence, tuple, name),
      expected: `${name} ${tuple.registers[name]} (${tuple.release})`,
      actual: `${name} ${evidence.registers[name] ?? "is not in the Evidence"}`,
      passed: "The box runs what the Release published.",
      failed: "A genuine TEE runs something else than an accepted Release.",
      hint: "Take the Release of the version that is deployed from its publisher, or have the published one deployed.",
    }),
  );
}

function compareStatement(statement: Statement | null, tuple: ReferenceValues): readonly Finding[] {
  if (statement === null) {
    const reason = "There is no readable Statement.";
    return [
      skipped("measurement", "statement-manifest", tuple.manifest, reason),
      skipped("measurement", "statement-runtime", tuple.runtime, reason),
    ];
  }
  return [
    compareClaim("statement-manifest", "Manifest", tuple.manifest, statement.manifest, tuple.release),
    compareClaim("statement-runtime", "runtime", tuple.runtime, statement.runtime, tuple.release),
  ];
}

function compareClaim(check: string, what: string, expected: string, actual: string, release: string): Finding {
  return compared({
    step: "measurement",
    check,
    holds: expected === actual,
    expected: `${expected} (${release})`,
    actual,
    passed: `The Statement names the ${what} of the Release that was measured.`,
    failed: `The Statement names another ${what} than that of the Release that was measured.`,
  });
}
