/** Classic BPF as seccomp(2) takes it: the instructions, and their bytes (struct sock_filter, linux/filter.h). */

export interface Instruction {
  readonly code: number;
  readonly ifTrue: number;
  readonly ifFalse: number;
  readonly value: number;
}

/** The opcodes that the filter uses: word load from the call's data, mask, three jumps, return. */
export const OPCODE = {
  load: 0x20,
  and: 0x54,
  jumpIfEqual: 0x15,
  jumpIfGreater: 0x25,
  jumpIfAnyBit: 0x45,
  return: 0x06,
} as const;

/** struct seccomp_data: where the kernel puts what the filter may look at. */
export const SECCOMP_DATA = { number: 0, architecture: 4, firstArgument: 16 } as const;

/** Return values (linux/seccomp.h). */
export const SECCOMP_RETURN = { killProcess: 0x8000_0000, errno: 0x0005_0000, allow: 0x7fff_0000 } as const;

/** A jump's distance is one byte. */
export const LONGEST_JUMP = 255;

export function instruction(code: number, value: number, ifTrue = 0, ifFalse = 0): Instruction {
  if (ifTrue > LONGEST_JUMP || ifFalse > LONGEST_JUMP) throw new TypeError("a jump of the filter is too long");
  return { code, ifTrue, ifFalse, value };
}

/** Offset of the low word of an argument: what the kernel reads of an `int`, whatever the upper word holds. */
export function argumentOffset(index: number): number {
  return SECCOMP_DATA.firstArgument + index * 8;
}

export function encodeFilter(program: readonly Instruction[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(program.length * 8));
  for (const [index, { code, ifTrue, ifFalse, value }] of program.entries()) {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, ifTrue);
    view.setUint8(index * 8 + 3, ifFalse);
    view.setUint32(index * 8 + 4, value >>> 0, true);
  }
  return new Uint8Array(view.buffer);
}
