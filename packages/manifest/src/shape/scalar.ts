import { kindOf, oneOfWords, shown } from "./describe.ts";
import type { Shape } from "./shape.ts";

/** What a string must look like. */
export interface TextRules {
  /** In words, for whoever reads the problem. */
  readonly expected: string;
  /** ECMAScript regular expression with the `u` flag, anchored at both ends. */
  readonly pattern: string;
  /** Characters. */
  readonly max: number;
  /** Set where the value can never be a secret: the problem then shows short plain words. Left out: kind and length only. */
  readonly show?: boolean;
  readonly hint?: string;
}

/** A string. */
export function text(rules: TextRules): Shape<string> {
  const pattern = new RegExp(rules.pattern, "u");
  return {
    schema: { type: "string", pattern: rules.pattern, maxLength: rules.max },
    read(value, at) {
      if (typeof value === "string" && !isLonger(value, rules.max) && pattern.test(value)) return value;
      return at.problem(rules.expected, rules.show === true ? shown(value) : kindOf(value), rules.hint);
    },
  };
}

/** An integer within closed bounds. */
export function integer(min: number, max: number): Shape<number> {
  return {
    schema: { type: "integer", minimum: min, maximum: max },
    read(value, at) {
      if (isIntegerWithin(value, min, max)) return value;
      return at.problem(`an integer from ${min} to ${max}`, shown(value));
    },
  };
}

/** True for an integer within closed bounds, and not for minus zero. */
export function isIntegerWithin(value: unknown, min: number, max: number): value is number {
  return Number.isSafeInteger(value) && !Object.is(value, -0) && Number(value) >= min && Number(value) <= max;
}

/** True or false. */
export const flag: Shape<boolean> = {
  schema: { type: "boolean" },
  read: (value, at) => (typeof value === "boolean" ? value : at.problem("true or false", shown(value))),
};

/** One of a closed list of words or numbers. */
export function word<T extends string | number>(words: readonly T[]): Shape<T> {
  return {
    schema: words.length === 1 ? { const: words[0] } : { enum: words },
    read(value, at) {
      const found = words.find((each) => each === value);
      return found ?? at.problem(oneOfWords(words), shown(value));
    },
  };
}

/** The value or null. */
export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return {
    schema: { anyOf: [shape.schema, { type: "null" }] },
    read: (value, at) => (value === null ? null : shape.read(value, at)),
  };
}

// JSON Schema counts code points, and so do we, so that editor and parser agree on every string.
function isLonger(value: string, max: number): boolean {
  return value.length > max && Array.from(value).length > max;
}
