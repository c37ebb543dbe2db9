/** Bit fields as a list of what each bit says. */
import type { Line, Tone } from "../inspection.ts";
import { line } from "./values.ts";

/** One bit: its name in the specification, and what it says where it is on and where it is off. */
export type Bit = readonly [at: number, name: string, on: readonly [Tone, string], off: readonly [Tone, string]];

/** One line a bit, and one for each bit that is set without having a name. `known` are bits that need no line. */
export function bitLines(value: bigint, bits: readonly Bit[], known: bigint = 0n): readonly Line[] {
  const width = Math.max(...bits.map(([, name]) => name.length));
  const lines = bits.map(([at, name, on, off]) => {
    const isSet = ((value >> BigInt(at)) & 1n) === 1n;
    const [tone, text] = isSet ? on : off;
    return line(`${isSet ? "1" : "0"}  bit ${String(at).padEnd(2)}  ${name.padEnd(width)}  ${text}`, tone);
  });
  const named = bits.reduce((mask, [at]) => mask | (1n << BigInt(at)), known);
  const unnamed = setBits(value & ~named);
  return unnamed.length === 0
    ? lines
    : [...lines, line(`set without a meaning that is known here: bits ${unnamed.join(", ")}`, "bad")];
}

function setBits(value: bigint): readonly number[] {
  return Array.from({ length: 64 }, (_, at) => at).filter((at) => ((value >> BigInt(at)) & 1n) === 1n);
}

/** 8 bytes in hex, the lowest bit in the first, as TDX writes them. */
export function littleEndian(hex: string): bigint {
  const bytes = hex.match(/../g) ?? [];
  return BigInt(`0x${bytes.toReversed().join("") || "0"}`);
}
