import { ANONYMOUS } from "../access/principal.ts";
import { NOBODY, type Roles } from "./callers.ts";
import { type Caller, positionsOf, type Side, type Sides } from "./side.ts";

/** Callers whom the same rules name, before and after. */
export interface Group {
  /** Never empty. */
  readonly callers: readonly [Caller, ...Caller[]];
  /** Whether the other document has no such principal, though it may admit the callers as others. */
  readonly isGone: boolean;
}

/** The callers of one document, who come to its box with all that they have, and to the other's as whatever they are there. */
export function groupsOf(sides: Sides, document: keyof Sides): readonly Group[] {
  const own = sides[document];
  const other = sides[document === "after" ? "before" : "after"];
  const groups = new Map<string, { callers: [Caller, ...Caller[]]; isGone: boolean }>();
  const add = (name: string, roles: Roles, elsewhere: Roles, isGone: boolean): void => {
    const [before, after] = document === "before" ? [roles, elsewhere] : [elsewhere, roles];
    const caller: Caller = { name, before, after };
    const signature = JSON.stringify([rulesIn(own, roles), rulesIn(other, elsewhere), isGone]);
    const group = groups.get(signature);
    if (group === undefined) groups.set(signature, { callers: [caller], isGone });
    else group.callers.push(caller);
  };
  for (const principal of own.access.principals) {
    const [whole = []] = own.book.rolesOf(principal);
    const same = other.book.principalsOf(principal);
    const isGone = !same.some((each) => own.book.principalsOf(each).includes(principal));
    add(principal.id, [whole], other.book.rolesOf(principal), isGone);
  }
  add(ANONYMOUS, NOBODY, NOBODY, false);
  return [...groups.values()];
}

function rulesIn(side: Side, roles: Roles): readonly (readonly number[])[] {
  return roles.map((ids) => positionsOf(side, ids));
}
