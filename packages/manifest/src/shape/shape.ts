import type { Problem } from "../problem.ts";
import { documentSite, type Site } from "./site.ts";

/** JSON Schema (draft-07, which editors know best) of one value. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What one kind of value looks like: read once by our parser, and told to editors as JSON Schema. */
export interface Shape<T> {
  /** Reports every problem at `at`. The value is meaningful only where no problem was reported. */
  read(value: unknown, at: Site): T | undefined;
  readonly schema: JsonSchema;
  /** What to do where the member is missing. */
  readonly hint?: string;
}

/** What `shape` reads where it finds no problem; undefined else, and the problems are nobody's. */
export function readsQuietly<T>(shape: Shape<T>, value: unknown): T | undefined {
  const problems: Problem[] = [];
  const read = shape.read(value, documentSite(problems));
  return problems.length === 0 ? read : undefined;
}

/** The shape of a member that may be left out. */
export interface OptionalShape<T> extends Shape<T> {
  readonly optional: true;
}

/** The member may be left out; it may not be null. */
export function optional<T>(shape: Shape<T>): OptionalShape<T> {
  return { ...shape, optional: true };
}

/** The same shape, with a sentence that editors show. */
export function described<T>(shape: Shape<T>, description: string): Shape<T> {
  return { ...shape, schema: { description, ...shape.schema } };
}

/** The same shape, with what to do where the member is missing. */
export function withHint<T>(shape: Shape<T>, hint: string): Shape<T> {
  return { ...shape, hint };
}

/** The same shape, read into another value. `turn` sees only values without problems. */
export function mapped<S, T>(shape: Shape<S>, turn: (value: S) => T): Shape<T> {
  return {
    schema: shape.schema,
    read(value, at) {
      const read = shape.read(value, at);
      return read === undefined ? undefined : turn(read);
    },
  };
}

/** The same shape, with a check of what was read; it too reports at `at`. */
export function refined<T>(shape: Shape<T>, check: (value: T, at: Site) => void): Shape<T> {
  return {
    ...shape,
    read(value, at) {
      const read = shape.read(value, at);
      if (read !== undefined) check(read, at);
      return read;
    },
  };
}

/** The same shape, after a check of the raw value that looks across its members; it too reports at `at`. */
export function checked<T>(shape: Shape<T>, check: (value: unknown, at: Site) => void): Shape<T> {
  return {
    schema: shape.schema,
    read(value, at) {
      check(value, at);
      return shape.read(value, at);
    },
  };
}
