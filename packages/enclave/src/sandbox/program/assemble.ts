/** From a list of steps to an executable. */
import { constants } from "node:os";
import { SYSCALLS } from "../kernel/syscalls.ts";
import { CODE_ADDRESS, DATA_ADDRESS, elfExecutable } from "./elf.ts";
import {
  ARGUMENT_REGISTERS,
  compareResult,
  jump,
  loadFrom,
  loadImmediate,
  RAX,
  RDI,
  skipIfPositive,
  skipUnlessEqual,
  skipUnlessNegative,
  storeTo,
  systemCall,
  testResult,
} from "./machine-code.ts";
import { type DataLayout, layOutData } from "./memory.ts";
import type { Operand, Step } from "./steps.ts";

export interface ProgramOptions {
  /** Descriptor to which a program that ends early writes 16 bytes: which step, and what it returned (`readFailure`). */
  readonly reportTo: number;
  /** Descriptor to which the results of all steps go when the last one was made; `null` where nobody asks. */
  readonly resultsTo: number | null;
  /** Added to the number of the step in the report, so that two programs can share one descriptor. */
  readonly firstStep: number;
}

/** Exit status of a program that ended early. */
export const STOPPED = 125;

/** Length of the report of a program that ended early. */
export const FAILURE_BYTES = 16;

const WORD = 8;

/** The executable that makes the calls of `steps`, and ends with status 0 when the last one was made. */
export function assemble(steps: readonly Step[], options: ProgramOptions): Uint8Array {
  const resultBytes = steps.length * WORD;
  const failure = DATA_ADDRESS + resultBytes;
  const data = layOutData(steps, DATA_ADDRESS, resultBytes + FAILURE_BYTES);
  const code = new Code();
  const childEnd = code.append(...exit(0));
  const stop = code.append(...reportAndStop(failure, options.reportTo));
  const entry = code.end;
  const at = new Map(steps.map((step, index) => [step, DATA_ADDRESS + index * WORD]));
  for (const [index, step] of steps.entries()) {
    code.append(...callStep(step, data, at));
    if (step.childEnds) code.append(testResult(), skipUnlessEqual(5), jump(code.end + 5, childEnd));
    appendStop(code, step, options.firstStep + index, stop);
  }
  if (options.resultsTo !== null) code.append(...write(options.resultsTo, DATA_ADDRESS, resultBytes));
  code.append(...exit(0));
  return elfExecutable(code.finish(), data.bytes, entry);
}

function callStep(step: Step, data: DataLayout, results: Map<Step, number>): Uint8Array[] {
  if (step.args.length > ARGUMENT_REGISTERS.length) throw new TypeError("a system call takes at most six arguments");
  const slot = results.get(step) ?? Number.NaN;
  return [
    ...step.args.map((operand, index) => load(ARGUMENT_REGISTERS[index] ?? RDI, operand, data, results)),
    loadImmediate(RAX, SYSCALLS[step.call]),
    systemCall(),
    storeTo(RAX, slot),
  ];
}

function load(register: number, operand: Operand, data: DataLayout, results: Map<Step, number>): Uint8Array {
  if (typeof operand !== "object") return loadImmediate(register, operand);
  if (operand.kind === "memory") return loadImmediate(register, data.addressOf(operand));
  const slot = results.get(operand.of);
  if (slot === undefined) throw new TypeError("a step refers to the result of a step that is not part of the program");
  return loadFrom(register, slot);
}

// The jump over the stop spans one loadImmediate (10 bytes) and one jump (5 bytes).
const OVER_STOP = 15;

function appendStop(code: Code, step: Step, number: number, stop: number): void {
  if (step.stopWhen === "never") return;
  code.append(...skipStop(step.stopWhen), loadImmediate(RDI, number));
  code.append(jump(code.end, stop));
}

function skipStop(stopWhen: Exclude<Step["stopWhen"], "never">): Uint8Array[] {
  switch (stopWhen) {
    case "negative":
      return [testResult(), skipUnlessNegative(OVER_STOP)];
    case "not-positive":
      return [testResult(), skipIfPositive(OVER_STOP)];
    case "absent":
      return [compareResult(-constants.errno.ENOENT), skipUnlessEqual(OVER_STOP)];
  }
}

function reportAndStop(failure: number, descriptor: number): Uint8Array[] {
  return [
    storeTo(RDI, failure),
    storeTo(RAX, failure + WORD),
    ...write(descriptor, failure, FAILURE_BYTES),
    ...exit(STOPPED),
  ];
}

function write(descriptor: number, address: number, size: number): Uint8Array[] {
  const values = [descriptor, address, size];
  const loads = values.map((value, index) => loadImmediate(ARGUMENT_REGISTERS[index] ?? RDI, value));
  return [...loads, loadImmediate(RAX, SYSCALLS.write), systemCall()];
}

function exit(status: number): Uint8Array[] {
  return [loadImmediate(RDI, status), loadImmediate(RAX, SYSCALLS.exit_group), systemCall()];
}

/** Machine code in the order in which it was appended; knows the address at which the next instruction will lie. */
class Code {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  get end(): number {
    return CODE_ADDRESS + this.#length;
  }

  /** Returns the address of the first appended instruction. */
  append(...parts: readonly Uint8Array[]): number {
    const start = this.end;
    this.#parts.push(...parts);
    this.#length += parts.reduce((sum, part) => sum + part.length, 0);
    return start;
  }

  finish(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts));
  }
}
