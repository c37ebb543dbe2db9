/** Runs the self-test: one program, in the application's place, that makes every forbidden call and reports the results. */
import { SELF_TEST_PROBES } from "@blindbox/attestation";
import type { Handover } from "../app/handover.ts";
import { endInside, type LaunchPlan, launch } from "../app/launch.ts";
import { makeOutputPipes } from "../app/pipes.ts";
import { SandboxError } from "../errors.ts";
import type { AppUser, ProbeResult } from "../../parts.ts";
import { assemble } from "../program/assemble.ts";
import { readResults } from "../program/failure.ts";
import { collect } from "../program/run.ts";
import { must, type Step, text, vector } from "../program/steps.ts";
import { isDenied } from "./attempts.ts";
import { openCanaries } from "./canaries.ts";
import { type ProbeTable, probes } from "./probes.ts";

/** `owner` is the application's id on the host. */
export async function runSelfTest(plan: LaunchPlan, owner: AppUser): Promise<Readonly<Record<string, ProbeResult>>> {
  const canaries = await openCanaries(plan.scratch);
  try {
    const table = probes(canaries.targets);
    const results = await resultsInside(plan, owner, stepsOf(table));
    return judge(table, results, canaries.reached());
  } finally {
    canaries.close();
  }
}

/** Every step of every probe, once, in the order of the table. */
export function stepsOf(table: ProbeTable): readonly Step[] {
  return [...new Set(Object.values(table).flatMap((attempts) => attempts.flat().map(({ step }) => step)))];
}

/** Denied is a probe all of whose attempts were, and whose target on the host saw nothing; one that is missing is not. */
export function judge(
  table: ProbeTable,
  results: ReadonlyMap<Step, number>,
  reached: ReadonlySet<string>,
): Readonly<Record<string, ProbeResult>> {
  const resultFor = (step: Step) => results.get(step) ?? Number.NaN;
  const denied = (name: string) => table[name]?.every((calls) => isDenied(calls, resultFor)) && !reached.has(name);
  return Object.fromEntries(SELF_TEST_PROBES.map((name) => [name, denied(name) ? "denied" : "allowed"]));
}

/** Milliseconds; it takes 50 on an idle machine, and where all is silent instead of refused, each attempt has 300. */
const DEADLINE = 15_000;

async function resultsInside(plan: LaunchPlan, owner: AppUser, steps: readonly Step[]): Promise<Map<Step, number>> {
  const pipes = await makeOutputPipes(plan.scratch, owner);
  pipes.stderr.resume();
  try {
    const output = collect(pipes.stdout);
    const inside = await launch(plan, (handover) => becomeProgram(handover, steps), pipes.writers);
    pipes.closeWriters();
    const deadline = setTimeout(() => endInside(inside), DEADLINE);
    const results = readResults(await output, steps);
    clearTimeout(deadline);
    endInside(inside);
    if (!results) throw new SandboxError("self-test-failed", "the self-test did not end", "Is this machine too slow?");
    return new Map(steps.map((step, index) => [step, results[index] ?? Number.NaN]));
  } finally {
    pipes.close();
  }
}

// Loaded as the application is, so that it meets exactly what the application would.
function becomeProgram(handover: Handover, steps: readonly Step[]): Step[] {
  const program = assemble(steps, { reportTo: 2, resultsTo: 1, firstStep: 0 });
  const path = text(`/proc/self/fd/${handover.addFile(program, 0o755)}`);
  return [must("execve", path, vector(["self-test"]), vector([]))];
}
