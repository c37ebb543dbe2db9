import { printable } from "./printable.ts";

/** One column: its head, and whether it holds numbers, which stand at the right. */
export interface Column {
  readonly name: string;
  readonly isNumber: boolean;
}

/** One line a row under a head. A cell that is null is a dash. */
export function tableLines(columns: readonly Column[], rows: readonly Row[]): readonly string[] {
  const texts = [
    columns.map(({ name }) => name),
    ...rows.map((row) => row.map((cell) => printable(String(cell ?? "-")))),
  ];
  const widths = columns.map((_, at) => texts.reduce((width, row) => Math.max(width, row[at]?.length ?? 0), 0));
  return texts.map((row) =>
    row
      .map((cell, at) => align(cell, columns[at], widths[at]))
      .join("  ")
      .trimEnd(),
  );
}

/** The cells of one line. */
export type Row = readonly (string | number | null)[];

function align(cell: string, column: Column | undefined, width = 0): string {
  return column?.isNumber === true ? cell.padStart(width) : cell.padEnd(width);
}

/** ECMAScript's dates end at 8.64e12 seconds; the box's clock is anybody's guess. */
export function timeText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().replace(".000", "");
}
