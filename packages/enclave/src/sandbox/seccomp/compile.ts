/** From the table of rules to the filter's bytes. */
import { LAST_KNOWN_SYSCALL, SYSCALLS, type SyscallName, UNASSIGNED_SYSCALLS } from "../kernel/syscalls.ts";
import {
  argumentOffset,
  encodeFilter,
  type Instruction,
  instruction,
  OPCODE,
  SECCOMP_DATA,
  SECCOMP_RETURN,
} from "./bpf.ts";
import type { Verdict } from "./refused.ts";
import { type Decision, type Look, RULES, UNKNOWN_CALL } from "./rules.ts";

/** AUDIT_ARCH_X86_64 (linux/audit.h). */
const ARCHITECTURE = 0xc000_003e;
/** Calls of the x32 ABI carry this bit; they would pass by every number below. */
const X32_BIT = 0x4000_0000;

/** The filter of the application: x86-64 only, every number that we know, minus the rules. */
export function appFilter(): Uint8Array {
  return encodeFilter([
    ...onlyThisArchitecture(),
    ...knownNumbersOnly(),
    ...[...RULES].flatMap(([call, decision]) => rule(call, decision)),
    verdict("allow"),
  ]);
}

function onlyThisArchitecture(): Instruction[] {
  return [
    instruction(OPCODE.load, SECCOMP_DATA.architecture),
    instruction(OPCODE.jumpIfEqual, ARCHITECTURE, 1, 0),
    instruction(OPCODE.return, SECCOMP_RETURN.killProcess),
  ];
}

// The number stays loaded from here on, until a rule that ends in a verdict looks at something else.
function knownNumbersOnly(): Instruction[] {
  const [first, last] = UNASSIGNED_SYSCALLS;
  return [
    instruction(OPCODE.load, SECCOMP_DATA.number),
    instruction(OPCODE.jumpIfGreater, X32_BIT - 1, 0, 1),
    instruction(OPCODE.return, SECCOMP_RETURN.killProcess),
    instruction(OPCODE.jumpIfGreater, LAST_KNOWN_SYSCALL, 2, 0),
    instruction(OPCODE.jumpIfGreater, last, 2, 0),
    instruction(OPCODE.jumpIfGreater, first - 1, 0, 1),
    verdict(UNKNOWN_CALL),
  ];
}

function rule(call: SyscallName, decision: Decision): Instruction[] {
  const block = decide(decision);
  return [instruction(OPCODE.jumpIfEqual, SYSCALLS[call], 0, block.length), ...block];
}

// Every block ends in verdicts, so nothing ever runs on from one rule into the next.
function decide(decision: Decision): Instruction[] {
  return decision === "allow" || "errno" in decision ? [verdict(decision)] : look(decision);
}

function look({ argument, mask, isOneOf, hasAnyBit, then, otherwise }: Look): Instruction[] {
  const yes = decide(then);
  const no = decide(otherwise);
  const masked = mask === undefined ? [] : [instruction(OPCODE.and, mask)];
  const tests = hasAnyBit === undefined ? equalities(isOneOf ?? [], no.length) : [anyBit(hasAnyBit, no.length)];
  return [instruction(OPCODE.load, argumentOffset(argument)), ...masked, ...tests, ...no, ...yes];
}

function equalities(values: readonly number[], otherwiseLength: number): Instruction[] {
  return values.map((value, index) =>
    instruction(OPCODE.jumpIfEqual, value, values.length - 1 - index + otherwiseLength, 0),
  );
}

function anyBit(bits: number, otherwiseLength: number): Instruction {
  return instruction(OPCODE.jumpIfAnyBit, bits, otherwiseLength, 0);
}

function verdict(answer: Verdict): Instruction {
  const value = answer === "allow" ? SECCOMP_RETURN.allow : SECCOMP_RETURN.errno | answer.errno;
  return instruction(OPCODE.return, value);
}
