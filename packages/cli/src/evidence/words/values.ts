/** Values as people read them. */
import type { JsonValue } from "@blindbox/encoding";
import type { Line, Show, Tone } from "../line.ts";

/** A value as plain text; of a list or an object its JSON. */
export function plain(value: JsonValue | undefined): string {
  if (value === undefined) return "";
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

/** One line. */
export function line(text: string, tone: Tone = "plain"): Line {
  return { text, tone };
}

/** Longest hex in one line: 48 bytes, as most measurements have. Longer ones come in lines of half of 64 bytes. */
const maxDigits = 96;
const splitDigits = 64;

/** Most of a number that nobody compares by eye: a modulus, a key. */
const keptDigits = 32;

/** A value by its own form: hex in lines that can be compared, zeros counted, the rest as it is. */
export function textOf(value: JsonValue): readonly Line[] {
  if (value === null) return [line("none")];
  if (typeof value === "boolean") return [line(value ? "yes" : "no")];
  if (typeof value === "string") return isHex(value) ? hexLines(value) : [line(value === "" ? "empty" : value)];
  return typeof value === "number" ? [line(plain(value))] : [line(JSON.stringify(value))];
}

function isHex(text: string): boolean {
  return text.length >= 4 && text.length % 2 === 0 && /^[0-9a-f]+$/.test(text);
}

function hexLines(hex: string): readonly Line[] {
  if (isZero(hex)) return [line(`all zero (${hex.length / 2} bytes)`)];
  if (/^f+$/.test(hex)) return [line(`all ones (${hex.length / 2} bytes)`)];
  if (hex.length <= maxDigits) return [line(hex)];
  return (hex.match(new RegExp(`.{1,${splitDigits}}`, "g")) ?? []).map((part) => line(part));
}

/** Whether hex is nothing but zeros. */
export function isZero(hex: JsonValue): boolean {
  return typeof hex === "string" && /^0*$/.test(hex);
}

/** Says `zero` where the bytes are all zero, and the bytes else. */
export function unlessZero(zero: string, tone: Tone = "plain"): Show {
  return (value) => (isZero(value) ? [line(`all zero: ${zero}`, tone)] : textOf(value));
}

/** A long number by its length and its beginning: `--json` has all of it. */
export const abridged: Show = (value) => {
  if (typeof value !== "string" || value.length <= keptDigits) return textOf(value);
  return [line(`${value.length / 2} bytes, ${value.slice(0, keptDigits)}… (whole in --json)`)];
};

/** Milliseconds or seconds since 1970 as a date. */
export function instant(unit: "s" | "ms"): Show {
  return (value) => [line(typeof value === "number" ? isoOf(unit === "s" ? value * 1000 : value) : plain(value))];
}

/** ISO 8601 in UTC; a number that no date has stays a number. */
export function isoOf(milliseconds: number): string {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? String(milliseconds) : date.toISOString().replace(".000Z", "Z");
}

/** A number of 64 bits from its hex, as the facts have it. */
export function bigOf(value: JsonValue): bigint {
  return typeof value === "string" && /^[0-9a-f]{1,16}$/.test(value) ? BigInt(`0x${value}`) : 0n;
}

/** The words of a list of names. */
export const words: Show = (value) => [line(Array.isArray(value) && value.length > 0 ? value.join(", ") : "none")];

/** A word of the Evidence beside what it stands for. */
export function named(names: Readonly<Record<string, Line>>): Show {
  return (value) => {
    const found = names[plain(value)];
    return found === undefined ? [line(`${plain(value)}: not known here`, "careful")] : [found];
  };
}

/** A list of numbers. */
export const numbers: Show = (value) => [line(Array.isArray(value) ? value.join(" ") : plain(value))];
