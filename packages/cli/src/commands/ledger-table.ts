import type { LedgerDocument, LedgerRecord } from "@blindbox/attestation";
import { printable } from "../output/printable.ts";

const head = [
  "seq",
  "time (the box's clock)",
  "verdict",
  "count",
  "rule",
  "mode",
  "host",
  "port",
  "sent",
  "received",
  "peer",
];

/** Columns that hold numbers, which stand at the right. */
const numbers: ReadonlySet<string> = new Set(["seq", "count", "rule", "port", "sent", "received"]);

/** One line a record under a head, and one line for what is no longer there. */
export function ledgerTable({ first, records }: LedgerDocument): readonly string[] {
  const rows = [head, ...records.map(cellsOf)];
  const widths = head.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, at) => align(cell, at, widths))
      .join("  ")
      .trimEnd(),
  );
  const given = first === 0 ? [] : [`${first} older records were given up: the box keeps the newest ones`];
  return records.length === 0 ? [...given, "no records"] : [...given, ...lines];
}

function align(cell: string, at: number, widths: readonly number[]): string {
  const width = widths[at] ?? 0;
  return numbers.has(head[at] ?? "") ? cell.padStart(width) : cell.padEnd(width);
}

function cellsOf(record: LedgerRecord): readonly string[] {
  const { seq, time, verdict, count, rule, mode, host, port, sent, received, peer } = record;
  const digest = peer === null ? "-" : `${peer.slice(0, 19)}…`;
  return [seq, timeOf(time), verdict, count, rule, mode, host, port, sent, received, digest].map((cell) =>
    printable(String(cell ?? "-")),
  );
}

/** ECMAScript's dates end at 8.64e12 seconds; the box's clock is anybody's guess. */
function timeOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().replace(".000", "");
}
