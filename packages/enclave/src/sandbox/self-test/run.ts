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
import { type Call, isDenied, type Outcome, REPLY_BYTES } from "./attempts.ts";
import { openCanaries } from "./canaries.ts";
import { type Granted, type ProbeTable, probes } from "./probes.ts";

/** `owner` is the application's id on the host, `granted` what is no way out since the Manifest gives it. */
export async function runSelfTest(
  plan: LaunchPlan,
  owner: AppUser,
  granted: Granted,
): Promise<Readonly<Record<string, ProbeResult>>> {
  const canaries = await openCanaries(plan.scratch);
  try {
    const table = probes(canaries.targets, granted);
    const outcomes = await outcomesInside(plan, owner, callsOf(table));
    return judge(table, outcomes, canaries.reached());
  } finally {
    canaries.close();
  }
}

/** Every call of every probe, once, in the order of the table. */
export function callsOf(table: ProbeTable): readonly Call[] {
  return [...new Set(Object.values(table).flat(2))];
}

/** Denied is a probe all of whose attempts were, and whose target on the host saw nothing; one that is missing is not. */
export function judge(
  table: ProbeTable,
  outcomes: ReadonlyMap<Call, Outcome>,
  reached: ReadonlySet<string>,
): Readonly<Record<string, ProbeResult>> {
  const outcomeOf = (call: Call) => outcomes.get(call) ?? UNKNOWN;
  const denied = (name: string) => table[name]?.every((calls) => isDenied(calls, outcomeOf)) && !reached.has(name);
  return Object.fromEntries(SELF_TEST_PROBES.map((name) => [name, denied(name) ? "denied" : "allowed"]));
}

const UNKNOWN: Outcome = { result: Number.NaN, reply: new Uint8Array(REPLY_BYTES) };

/** The program that makes the calls and writes what it met to its standard output. */
export function selfTestProgram(calls: readonly Call[]): Uint8Array {
  return assemble(stepsOf(calls), { reportTo: 2, resultsTo: 1, firstStep: 0 });
}

/** What the program wrote: the replies, then the results of all steps. `null` where it did not come to its end. */
export function readOutcomes(output: Uint8Array, calls: readonly Call[]): ReadonlyMap<Call, Outcome> | null {
  const looking = calls.filter(({ reply }) => reply !== null);
  const results = readResults(output.subarray(looking.length * REPLY_BYTES), stepsOf(calls));
  if (!results) return null;
  const byStep = new Map(stepsOf(calls).map((step, index) => [step, results[index] ?? Number.NaN]));
  const replies = new Map(
    looking.map((call, index) => [call, output.subarray(index * REPLY_BYTES).slice(0, REPLY_BYTES)]),
  );
  return new Map(
    calls.map((call) => [
      call,
      { result: byStep.get(call.step) ?? Number.NaN, reply: replies.get(call) ?? UNKNOWN.reply },
    ]),
  );
}

// First all calls, then what was written for them.
function stepsOf(calls: readonly Call[]): readonly Step[] {
  const telling = calls.flatMap(({ reply }) => (reply === null ? [] : [must("write", 1, reply, REPLY_BYTES)]));
  return [...new Set(calls.map(({ step }) => step)), ...telling];
}

/** Milliseconds; it takes 50 on an idle machine, and where all is silent instead of refused, each attempt has 300 or 2000. */
const DEADLINE = 30_000;

async function outcomesInside(
  plan: LaunchPlan,
  owner: AppUser,
  calls: readonly Call[],
): Promise<ReadonlyMap<Call, Outcome>> {
  const pipes = await makeOutputPipes(plan.scratch, owner);
  pipes.stderr.resume();
  try {
    const output = collect(pipes.stdout);
    const inside = await launch(plan, (handover) => becomeProgram(handover, calls), pipes.writers);
    pipes.closeWriters();
    const deadline = setTimeout(() => endInside(inside), DEADLINE);
    const outcomes = readOutcomes(await output, calls);
    clearTimeout(deadline);
    endInside(inside);
    if (!outcomes) throw new SandboxError("self-test-failed", "the self-test did not end", "Is this machine too slow?");
    return outcomes;
  } finally {
    pipes.close();
  }
}

// Loaded as the application is, so that it meets exactly what the application would.
function becomeProgram(handover: Handover, calls: readonly Call[]): Step[] {
  const path = text(`/proc/self/fd/${handover.addFile(selfTestProgram(calls), 0o755)}`);
  return [must("execve", path, vector(["self-test"]), vector([]))];
}
