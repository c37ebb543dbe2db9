/** What the tables call the median. `values` must not be empty. */
export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Nearest rank. `values` must not be empty. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("no values were measured");
  return value;
}

/** Median of the ratios within each round: what slows a whole round down is in both, and cancels out. */
export function medianRatio(values: readonly number[], baseline: readonly number[]): number {
  return median(values.map((value, at) => value / (baseline[at] ?? Number.NaN)));
}
