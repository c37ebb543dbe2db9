/** What `blindbox inspect` makes of Evidence: every field by name, in words, with what it means. Nothing is verified. */
import type { JsonValue } from "@blindbox/encoding";
import type { Facts, Line, Show } from "./line.ts";
import { textOf } from "./words/values.ts";

export type { Facts, Line, Show, Tone } from "./line.ts";

/** One field of the Evidence. */
export interface Field {
  /** As the page of that TEE and the claims of a result name it. */
  readonly name: string;
  /** As the specification, or a person, calls it. */
  readonly label: string;
  readonly value: JsonValue;
  /** The value for people, never empty. */
  readonly lines: readonly Line[];
  /** What the field means for security. */
  readonly means: string;
}

/** Fields that belong together. */
export interface Section {
  readonly title: string;
  readonly fields: readonly Field[];
}

/** One piece of Evidence, with the pieces that it holds. */
export interface Inspection {
  /** Stable word for programs, for example `sev-snp-report`. */
  readonly kind: string;
  readonly title: string;
  readonly sections: readonly Section[];
  readonly inside: readonly Inspection[];
}

/** One row of a table of words: name of the fact, label, meaning, and how it is shown. */
export type Row = readonly [name: string, label: string, means: string, show?: Show];

/** The words for one section. */
export interface SectionWords {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** The sections of `words` for the facts that there are. What no table has a word for is shown all the same, at the end. */
export function sectionsOf(facts: Facts, words: readonly SectionWords[]): readonly Section[] {
  const known = new Set(words.flatMap(({ rows }) => rows.map(([name]) => name)));
  const sections = words.map(({ title, rows }) => ({ title, fields: rows.flatMap((row) => fieldOf(row, facts)) }));
  const others = Object.keys(facts).filter((name) => !known.has(name));
  const rest = others.flatMap((name) => fieldOf([name, name, "There is no description of this field yet."], facts));
  return [...sections, { title: otherFields, fields: rest }].filter(({ fields }) => fields.length > 0);
}

/** Title of the section with what no table has a word for. */
export const otherFields = "other fields";

function fieldOf([name, label, means, show]: Row, facts: Facts): readonly Field[] {
  const value = facts[name];
  if (value === undefined) return [];
  return [{ name, label, value, lines: show === undefined ? textOf(value) : show(value, facts), means }];
}
