/** Where a program's data lie: every `Memory` once, behind the results of the steps. */
import type { Memory, Operand, Step } from "./steps.ts";

export interface DataLayout {
  readonly bytes: Uint8Array;
  readonly addressOf: (memory: Memory) => number;
}

/** Puts the data of all steps at `base`, after `reserved` zeroed bytes; each starts at a multiple of eight. */
export function layOutData(steps: readonly Step[], base: number, reserved: number): DataLayout {
  const offsets = new Map<Memory, number>();
  let end = align(reserved);
  for (const memory of allMemory(steps)) {
    offsets.set(memory, end);
    end = align(end + sizeOf(memory));
  }
  const addressOf = (memory: Memory) => base + required(offsets.get(memory));
  return { bytes: fill(offsets, addressOf, end), addressOf };
}

function allMemory(steps: readonly Step[]): Set<Memory> {
  const found = new Set<Memory>();
  const visit = (operand: Operand | Uint8Array) => {
    if (typeof operand !== "object" || operand instanceof Uint8Array || operand.kind !== "memory") return;
    found.add(operand);
    for (const part of operand.parts) visit(part);
  };
  for (const step of steps) for (const operand of step.args) visit(operand);
  return found;
}

function fill(offsets: Map<Memory, number>, addressOf: (memory: Memory) => number, size: number): Uint8Array {
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  for (const [memory, start] of offsets) {
    let offset = start;
    for (const part of memory.parts) {
      if (part instanceof Uint8Array) out.set(part, offset);
      else view.setBigUint64(offset, BigInt(addressOf(part)), true);
      offset += partSize(part);
    }
  }
  return out;
}

function sizeOf(memory: Memory): number {
  return memory.parts.reduce((sum, part) => sum + partSize(part), 0);
}

function partSize(part: Uint8Array | Memory): number {
  return part instanceof Uint8Array ? part.length : 8;
}

function align(offset: number): number {
  return Math.ceil(offset / 8) * 8;
}

function required(offset: number | undefined): number {
  if (offset === undefined) throw new TypeError("a step refers to memory that is not part of the program");
  return offset;
}
