import { type Factor, factorsOf, kindOfFactor, type Principal, textsOf } from "../access/principal.ts";
import { kindsOf, type Roles } from "./callers.ts";
import { positionsOf, type Sides } from "./side.ts";

/** A principal of either document, as both see it. */
export interface Person {
  readonly principal: Principal;
  /** The kinds of credentials that it presents. */
  readonly presents: string;
  readonly before: Roles;
  readonly after: Roles;
  /** The same for those who present the same kinds, and whom the same rules name. */
  readonly kind: number;
}

/** Everybody whom a rule of either document names, of several who differ in nothing that keeps two apart one. */
export function peopleOf(sides: Sides): readonly Person[] {
  const kinds = new Map<string, number>();
  const people = new Map<string, Person>();
  for (const principal of [...sides.after.access.principals, ...sides.before.access.principals]) {
    const [before, after] = [sides.before.book.rolesOf(principal), sides.after.book.rolesOf(principal)];
    const presents = kindsOf(principal);
    const rules = [
      before.slice(0, 2).map((ids) => positionsOf(sides.before, ids)),
      after.slice(0, 2).map((ids) => positionsOf(sides.after, ids)),
    ];
    if (rules.flat(2).length === 0) continue;
    const text = JSON.stringify([presents, rules]);
    const kind = kinds.get(text) ?? kinds.size;
    kinds.set(text, kind);
    const key = JSON.stringify([kind, factorsOf(principal).map(apartness)]);
    if (!people.has(key)) people.set(key, { principal, presents, before, after, kind });
  }
  return [...people.values()];
}

/** What of a factor can keep it from meeting another (`canMeet`): so neither names of a certificate nor an audience. */
function apartness(factor: Factor): unknown {
  if ("apiKey" in factor) return factor.apiKey;
  if ("certificate" in factor) return [factor.certificate.issuer, factor.certificate.subject];
  const { issuer, keys, algorithms, requiredClaims } = factor.jwt;
  return [issuer, keys, algorithms, requiredClaims];
}

/** Two whom one request may make known together: all that it presents makes the first so, and that or a part of it the second. */
export interface Pair {
  readonly whole: Person;
  readonly part: Person;
}

/** Principals that may have the same issuer or key, by a claim or subject that tells most of them apart. */
interface Shelf {
  readonly everybody: Person[];
  /** By name of the claim, then by value. */
  readonly telling: Map<string, Map<string, Person[]>>;
}

/**
 * Every two that can meet, and others: the second presents the same kinds as the first or some of them. Of two that present
 * the same kinds, either is the first, once.
 */
export function* nearOf(people: readonly Person[]): Generator<Pair> {
  const shelves = shelve(people);
  const order = new Map(people.map((person, at) => [person, at]));
  for (const [at, whole] of people.entries()) {
    const kinds = new Set<string>(factorsOf(whole.principal).map(kindOfFactor));
    for (const part of new Set(factorsOf(whole.principal).flatMap((factor) => lookUp(shelves, factor)))) {
      if (!factorsOf(part.principal).every((factor) => kinds.has(kindOfFactor(factor)))) continue;
      if (part.presents !== whole.presents || (order.get(part) ?? at) < at) yield { whole, part };
    }
  }
}

function shelve(people: readonly Person[]): ReadonlyMap<string, Shelf> {
  const shelves = new Map<string, Shelf>();
  for (const person of people) {
    const [first] = factorsOf(person.principal);
    if (first === undefined) continue;
    const shelf = shelves.get(anchorOf(first)) ?? { everybody: [], telling: new Map<string, Map<string, Person[]>>() };
    shelves.set(anchorOf(first), shelf);
    const [told] = tellingOf(first);
    if (told === undefined) shelf.everybody.push(person);
    else for (const value of told[1]) push(shelf.telling, told[0], value, person);
  }
  return shelves;
}

function push(telling: Shelf["telling"], name: string, value: string, person: Person): void {
  const values = telling.get(name) ?? new Map<string, Person[]>();
  telling.set(name, values);
  const list = values.get(value);
  if (list === undefined) values.set(value, [person]);
  else list.push(person);
}

function lookUp(shelves: ReadonlyMap<string, Shelf>, factor: Factor): readonly Person[] {
  const shelf = shelves.get(anchorOf(factor));
  if (shelf === undefined) return [];
  const own = new Map(tellingOf(factor));
  const told = Array.from(shelf.telling, ([name, values]) => {
    const wanted = own.get(name);
    return wanted === undefined ? [...values.values()].flat() : wanted.flatMap((value) => values.get(value) ?? []);
  });
  return [...shelf.everybody, ...told.flat()];
}

function anchorOf(factor: Factor): string {
  if ("apiKey" in factor) return JSON.stringify(["apiKey", factor.apiKey]);
  if ("certificate" in factor) return JSON.stringify(["certificate", factor.certificate.issuer]);
  return JSON.stringify(["jwt", factor.jwt.issuer]);
}

/** Names and values of which two have to have one in common to meet. */
function tellingOf(factor: Factor): readonly (readonly [string, readonly string[]])[] {
  if ("apiKey" in factor) return [];
  if ("certificate" in factor) {
    const { subject } = factor.certificate;
    return subject === "any" ? [] : [["subject", [JSON.stringify(subject.map(({ type, value }) => [type, value]))]]];
  }
  return Object.entries(factor.jwt.requiredClaims)
    .map(([name, term]) => [name, textsOf(term)] as const)
    .filter(([, texts]) => texts.length > 0);
}
