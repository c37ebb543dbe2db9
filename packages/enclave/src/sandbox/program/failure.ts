/** What a program that ended early says of it. */
import { getSystemErrorName } from "node:util";
import { FAILURE_BYTES } from "./assemble.ts";
import type { Step } from "./steps.ts";

export interface StepFailure {
  /** Number of the step, counted from the program's `firstStep`. */
  readonly step: number;
  /** What the call returned: 0 at the end of a pipe, else a negative errno. */
  readonly result: number;
}

/** Reads a report; `null` where the bytes are none. */
export function readFailure(report: Uint8Array): StepFailure | null {
  if (report.length !== FAILURE_BYTES) return null;
  const view = new DataView(report.buffer, report.byteOffset, report.length);
  return { step: Number(view.getBigInt64(0, true)), result: Number(view.getBigInt64(8, true)) };
}

/** One phrase for a message: the call's name and the name of its error. */
export function describeFailure(failure: StepFailure, steps: readonly Step[], firstStep: number): string {
  const call = steps[failure.step - firstStep]?.call ?? "an unknown call";
  return failure.result < 0 ? `${call}: ${getSystemErrorName(failure.result)}` : `${call}: the other end closed`;
}

/** The results of all steps, in their order, as `resultsTo` carries them. */
export function readResults(report: Uint8Array, steps: readonly Step[]): readonly number[] | null {
  if (report.length !== steps.length * 8) return null;
  const view = new DataView(report.buffer, report.byteOffset, report.length);
  return steps.map((_, index) => Number(view.getBigInt64(index * 8, true)));
}
