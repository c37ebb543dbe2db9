import { kindOf, oneOfWords, shown } from "./describe.ts";
import type { OptionalShape, Shape } from "./shape.ts";
import type { Site } from "./site.ts";

/** The shape of each member of T. */
export type Members<T> = {
  readonly [K in keyof T]-?: undefined extends T[K] ? OptionalShape<Exclude<T[K], undefined>> : Shape<T[K]>;
};

type AnyMember = Shape<unknown> & { readonly optional?: true };

// Words of the design that this version has no syntax for: whoever writes one must not think that it is enforced.
const NOT_YET: ReadonlySet<string> = new Set(["sandbox"]);

/** True for what JSON calls an object. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A map with exactly these members. */
export function object<T>(members: Members<T>): Shape<T> {
  const shapes: readonly (readonly [string, AnyMember])[] = Object.entries(members);
  return {
    schema: objectSchema(shapes),
    read(value, at) {
      if (!isMap(value)) return at.problem(`a map with ${wordsOf(shapes)}`, kindOf(value));
      const strangers = Object.keys(value).filter((name) => !Object.hasOwn(members, name));
      for (const name of strangers) reportUnknown(at.member(name), name, shapes);
      // Members<T> ties each name to a shape of its type; the compiler cannot follow that through the list of entries.
      return readMembers(shapes, value, at) as T | undefined;
    },
  };
}

function readMembers(
  shapes: readonly (readonly [string, AnyMember])[],
  value: Readonly<Record<string, unknown>>,
  at: Site,
): unknown {
  const entries: [string, unknown][] = [];
  let missing = false;
  for (const [name, shape] of shapes) {
    if (!Object.hasOwn(value, name) && shape.optional === true) continue;
    const read = Object.hasOwn(value, name)
      ? shape.read(value[name], at.member(name))
      : reportMissing(at.member(name), shape);
    missing ||= read === undefined;
    entries.push([name, read]);
  }
  return missing ? undefined : Object.fromEntries(entries);
}

function reportMissing(at: Site, { hint }: AnyMember): undefined {
  return at.problem("a value", "nothing", hint ?? "this member is required");
}

function reportUnknown(at: Site, name: string, shapes: readonly (readonly [string, AnyMember])[]): void {
  const hint = NOT_YET.has(name) ? "not supported yet" : "unknown members are refused; check the spelling";
  at.problem(wordsOf(shapes), "an unknown member", hint);
}

function wordsOf(shapes: readonly (readonly [string, unknown])[]): string {
  return oneOfWords(shapes.map(([name]) => name));
}

function objectSchema(shapes: readonly (readonly [string, AnyMember])[]): Shape<unknown>["schema"] {
  return {
    type: "object",
    properties: Object.fromEntries(shapes.map(([name, shape]) => [name, shape.schema])),
    required: shapes.filter(([, shape]) => shape.optional !== true).map(([name]) => name),
    additionalProperties: false,
  };
}

/** How many items a list may hold, and whether an item may come twice. */
export interface ListRules {
  readonly min: number;
  readonly max: number;
  /** Items must differ; for items that are strings or numbers. */
  readonly unique?: true;
}

/** A list of one kind of item. A list that is too long is refused unread. */
export function list<T>(item: Shape<T>, rules: ListRules): Shape<readonly T[]> {
  return {
    schema: {
      type: "array",
      items: item.schema,
      minItems: rules.min,
      maxItems: rules.max,
      ...(rules.unique === true ? { uniqueItems: true } : {}),
    },
    read(value, at) {
      if (!Array.isArray(value) || value.length < rules.min || value.length > rules.max) {
        return at.problem(`a list of ${rules.min} to ${rules.max}`, kindOf(value));
      }
      if (rules.unique === true) reportRepeated(value, at);
      const items = value.map((each, index) => item.read(each, at.item(index)));
      return items.every((each) => each !== undefined) ? items : undefined;
    },
  };
}

function reportRepeated(items: readonly unknown[], at: Site): void {
  const seen = new Set<unknown>();
  items.forEach((item, index) => {
    if (seen.has(item)) at.item(index).problem("an item that is not in the list yet", "a repeated item");
    seen.add(item);
  });
}

/** A map of freely named members of one kind. */
export function record<T>(name: Shape<string>, value: Shape<T>, max: number): Shape<Readonly<Record<string, T>>> {
  return {
    schema: { type: "object", propertyNames: name.schema, additionalProperties: value.schema, maxProperties: max },
    read(map, at) {
      const names = isMap(map) ? Object.keys(map) : [];
      if (!isMap(map) || names.length > max) return at.problem(`a map of at most ${max}`, kindOf(map));
      const entries: [string, T | undefined][] = names.map((each) => {
        name.read(each, at.member(each));
        return [each, value.read(map[each], at.member(each))];
      });
      return entries.every((entry): entry is [string, T] => entry[1] !== undefined)
        ? Object.fromEntries(entries)
        : undefined;
    },
  };
}

/** One of several kinds of map. `pick` tells from the raw map which kind it means to be; undefined: none of them. */
export function variant<T>(
  shapes: Readonly<Record<string, Shape<T>>>,
  expected: string,
  pick: (value: Readonly<Record<string, unknown>>) => unknown,
): Shape<T> {
  return {
    schema: { oneOf: Object.values(shapes).map((shape) => shape.schema) },
    read(value, at) {
      const picked = isMap(value) ? pick(value) : undefined;
      const shape = typeof picked === "string" && Object.hasOwn(shapes, picked) ? shapes[picked] : undefined;
      return shape === undefined ? at.problem(expected, shown(value)) : shape.read(value, at);
    },
  };
}
