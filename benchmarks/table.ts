/** One line of a result. Text, since what a number means differs from line to line. */
export interface Row {
  readonly measured: string;
  readonly result: string;
  /** Against what, and how many times that. */
  readonly ratio?: string;
  readonly target?: string;
}

/** A benchmark's result, with the one sentence that says how it was measured. */
export interface Result {
  readonly name: string;
  readonly method: string;
  readonly rows: readonly Row[];
}

const columns = ["measured", "result", "ratio", "target"] as const;

/** A Markdown table, padded so that it reads in a terminal too. */
function formatTable(rows: readonly Row[]): string {
  const lines = [Object.fromEntries(columns.map((name) => [name, name])) as Partial<Row>, ...rows];
  const widths = columns.map((name) => Math.max(...lines.map((line) => (line[name] ?? "").length)));
  const format = (line: Partial<Row>): string =>
    `| ${columns.map((name, at) => (line[name] ?? "").padEnd(widths[at] ?? 0)).join(" | ")} |`;
  const [head = {}, ...body] = lines;
  return [format(head), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...body.map(format)].join("\n");
}

/** A ratio as the tables show it. */
export function times(ratio: number): string {
  return `${ratio.toFixed(2)}x`;
}

/** Prints how each number was measured, and one table of all of them. */
export function printResults(results: readonly Result[]): void {
  for (const { name, method } of results) console.log(`${name}: ${method}`);
  const rows = results.flatMap(({ name, rows }) =>
    rows.map((row) => ({ ...row, measured: `${name}: ${row.measured}` })),
  );
  console.log(`\n${formatTable(rows)}`);
}
