/** What the verifying side accepts of the TEE `simulated`. */
import { exactMembers, wholeNumber } from "../arguments.ts";
import { SIMULATED_TCB } from "./layout.ts";

/** For the TEE `simulated`. */
export interface SimulatedPolicy {
  /** The lowest TCB version that is accepted. */
  readonly minTcb: number;
}

/** The strict default. */
export const strictSimulatedPolicy: SimulatedPolicy = Object.freeze({ minTcb: SIMULATED_TCB });

/** A frozen copy. @throws TypeError naming the member that is missing, unknown or wrong. */
export function readSimulatedPolicy(value: unknown, path: string): SimulatedPolicy {
  const { minTcb } = exactMembers(value, path, ["minTcb"]);
  return Object.freeze({ minTcb: wholeNumber(minTcb, `${path}.minTcb`, 0) });
}
