/** An inspection on a terminal: sections, aligned values, and what each means below it. */
import { wrapped } from "../output/paragraph.ts";
import { printable } from "../output/printable.ts";
import { paint, writeLine, type OutputStream, type Style } from "../output/terminal.ts";
import type { Field, Inspection, Line, Section, Tone } from "./inspection.ts";

const styles: Readonly<Record<Exclude<Tone, "plain">, Style>> = { good: "good", careful: "careful", bad: "bad" };

/** Writes everything, the pieces inside too, each under its own title. */
export function writeInspection(stream: OutputStream, { title, sections, inside }: Inspection): void {
  writeLine(stream, `\n${paint(stream, "strong", printable(title))}`);
  for (const section of sections) writeSection(stream, section);
  for (const piece of inside) writeInspection(stream, piece);
}

function writeSection(stream: OutputStream, { title, fields }: Section): void {
  writeLine(stream, `\n  ${paint(stream, "strong", printable(title))}`);
  const width = Math.max(...fields.map(({ label }) => label.length));
  for (const field of fields) writeField(stream, field, width);
}

function writeField(stream: OutputStream, { label, lines, means }: Field, width: number): void {
  const indent = " ".repeat(width + 6);
  lines.forEach((each, at) => {
    const start = at === 0 ? `    ${label.padEnd(width)}  ` : indent;
    writeLine(stream, `${start}${painted(stream, each)}`);
  });
  for (const part of wrapped(means)) writeLine(stream, `${indent}${paint(stream, "quiet", part)}`);
}

function painted(stream: OutputStream, { text, tone }: Line): string {
  const safe = printable(text);
  return tone === "plain" ? safe : paint(stream, styles[tone], safe);
}
