/**
 * The x86-64 instructions that a program of system calls needs (Intel SDM volume 2). Addresses lie below 2 GiB, so
 * that an absolute 32-bit displacement reaches them.
 */

/** In the order of the system call convention; the number is the one of the ModRM and REX encoding. */
export const ARGUMENT_REGISTERS: readonly number[] = Object.freeze([7, 6, 2, 10, 8, 9]); // rdi rsi rdx r10 r8 r9
export const RAX = 0;
export const RDI = 7;

/** mov register, imm64 */
export function loadImmediate(register: number, value: number | bigint): Uint8Array {
  const code = new DataView(new ArrayBuffer(10));
  code.setUint8(0, register < 8 ? 0x48 : 0x49);
  code.setUint8(1, 0xb8 + (register & 7));
  code.setBigInt64(2, BigInt.asIntN(64, BigInt(value)), true);
  return new Uint8Array(code.buffer);
}

/** mov register, [address] */
export function loadFrom(register: number, address: number): Uint8Array {
  return absolute(0x8b, register, address);
}

/** mov [address], register */
export function storeTo(register: number, address: number): Uint8Array {
  return absolute(0x89, register, address);
}

function absolute(opcode: number, register: number, address: number): Uint8Array {
  const code = new DataView(new ArrayBuffer(8));
  code.setUint8(0, register < 8 ? 0x48 : 0x4c);
  code.setUint8(1, opcode);
  code.setUint8(2, ((register & 7) << 3) | 4);
  code.setUint8(3, 0x25);
  code.setUint32(4, address, true);
  return new Uint8Array(code.buffer);
}

export function systemCall(): Uint8Array {
  return Uint8Array.of(0x0f, 0x05);
}

/** test rax, rax */
export function testResult(): Uint8Array {
  return Uint8Array.of(0x48, 0x85, 0xc0);
}

/** cmp rax, value; the value fits a signed byte. */
export function compareResult(value: number): Uint8Array {
  return Uint8Array.of(0x48, 0x83, 0xf8, value & 0xff);
}

/** Short conditional jumps over the next `distance` bytes, by what was tested or compared. */
export function skipUnlessNegative(distance: number): Uint8Array {
  return Uint8Array.of(0x79, distance);
}

export function skipIfPositive(distance: number): Uint8Array {
  return Uint8Array.of(0x7f, distance);
}

export function skipUnlessEqual(distance: number): Uint8Array {
  return Uint8Array.of(0x75, distance);
}

/** jmp target, encoded at address `from` */
export function jump(from: number, target: number): Uint8Array {
  const code = new DataView(new ArrayBuffer(5));
  code.setUint8(0, 0xe9);
  code.setInt32(1, target - (from + 5), true);
  return new Uint8Array(code.buffer);
}
