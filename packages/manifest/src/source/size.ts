import { isIntegerWithin, type Shape, shown } from "../shape/index.ts";

const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** Bytes, written as an integer or as one with `KiB`, `MiB` or `GiB` behind it; within closed bounds. */
export function size([min, max]: readonly [number, number]): Shape<number> {
  return {
    schema: {
      anyOf: [
        { type: "integer", minimum: min, maximum: max },
        { type: "string", pattern: SIZE_PATTERN },
      ],
    },
    read(value, at) {
      const bytes = typeof value === "string" ? parseSize(value) : value;
      if (isIntegerWithin(bytes, min, max)) return bytes;
      return at.problem(
        `a size from ${inUnits(min)} to ${inUnits(max)}`,
        shown(value),
        "for example 512KiB, 50MiB or 1GiB",
      );
    },
  };
}

const SIZE_PATTERN = "^(?:0|[1-9][0-9]{0,11})(?:KiB|MiB|GiB)$";

function parseSize(text: string): number | undefined {
  const unit = new RegExp(SIZE_PATTERN, "u").test(text) ? UNITS[text.slice(-3)] : undefined;
  return unit === undefined ? undefined : Number(text.slice(0, -3)) * unit;
}

function inUnits(bytes: number): string {
  const unit = Object.keys(UNITS).findLast((each) => bytes > 0 && bytes % (UNITS[each] ?? 1) === 0);
  return unit === undefined ? `${bytes} bytes` : `${bytes / (UNITS[unit] ?? 1)}${unit}`;
}
