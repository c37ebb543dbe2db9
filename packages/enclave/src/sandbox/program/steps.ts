/**
 * Programs of system calls. Node cannot call unshare, setns, mount, prctl or close_range, and nothing of ours may need a
 * compiler or a shell inside the application's root file system; so what has to be called is written down as a list of
 * steps, and `assemble` turns the list into a static x86-64 executable that makes these calls in this order, and no others.
 */
import type { SyscallName } from "../kernel/syscalls.ts";

/** Bytes that the program owns; as an operand, their address. A nested `Memory` stands for its own address (8 bytes). */
export interface Memory {
  readonly kind: "memory";
  readonly parts: readonly (Uint8Array | Memory)[];
}

/** What an earlier step returned, for instance a file descriptor. */
export interface ResultOf {
  readonly kind: "result";
  readonly of: Step;
}

/** One argument of a call. A number is sign-extended to 64 bits. */
export type Operand = number | bigint | Memory | ResultOf;

/**
 * When the program ends early: `negative` (the call failed), `not-positive` (a read met the end of its pipe), `absent`
 * (what it is about is not there: ENOENT), or `never` (the result is only kept).
 */
export type StopWhen = "negative" | "not-positive" | "absent" | "never";

export interface Step {
  readonly call: SyscallName;
  readonly args: readonly Operand[];
  readonly stopWhen: StopWhen;
  /** For clone: where the result is 0 the program is the child, and ends at once. */
  readonly childEnds: boolean;
}

/** A call that must succeed. */
export function must(call: SyscallName, ...args: Operand[]): Step {
  return { call, args, stopWhen: "negative", childEnds: false };
}

/** A call whose result is only kept. */
export function attempt(call: SyscallName, ...args: Operand[]): Step {
  return { call, args, stopWhen: "never", childEnds: call === "clone" };
}

/** A call that is repeated until what it is about is gone. */
export function unlessAbsent(call: SyscallName, ...args: Operand[]): Step {
  return { call, args, stopWhen: "absent", childEnds: false };
}

/** Waits until the other end of `descriptor` writes a byte; ends the program when that end is closed instead. */
export function awaitByte(descriptor: number): Step {
  return { call: "read", args: [descriptor, buffer(1), 1], stopWhen: "not-positive", childEnds: false };
}

/** Writes one byte to `descriptor`. */
export function sendByte(descriptor: number): Step {
  return must("write", descriptor, text("."), 1);
}

export function resultOf(step: Step): ResultOf {
  return { kind: "result", of: step };
}

/** A NUL-terminated string. */
export function text(value: string): Memory {
  if (value.includes("\0")) throw new TypeError("a string of the kernel cannot hold a NUL");
  return bytes(new TextEncoder().encode(`${value}\0`));
}

export function bytes(value: Uint8Array): Memory {
  return { kind: "memory", parts: [value] };
}

/** Zeroed bytes for the kernel to write to. */
export function buffer(size: number): Memory {
  return bytes(new Uint8Array(size));
}

/** An array of 64-bit words, as in iovec or the argument vector of execve. */
export function words(...values: readonly (number | bigint | Memory)[]): Memory {
  return { kind: "memory", parts: values.map((value) => (typeof value === "object" ? value : word(value))) };
}

/** A vector of strings that ends in a null pointer (argv, envp). */
export function vector(values: readonly string[]): Memory {
  return words(...values.map(text), 0);
}

function word(value: number | bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigInt64(0, BigInt.asIntN(64, BigInt(value)), true);
  return new Uint8Array(view.buffer);
}
