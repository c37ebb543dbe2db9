import { ANONYMOUS } from "./access/principal.ts";
import { isMap, type Site } from "./shape/index.ts";

/**
 * What no single member shows: ids and keys that come twice, rules that name nobody. Reads the raw value, so that these
 * problems are reported beside those of shape.
 */
export function checkReferences(access: unknown, at: Site): void {
  const principals = itemsOf(access, "principals");
  reportRepeated(principals, "id", at.member("principals"));
  reportRepeated(principals, "apiKey", at.member("principals"));
  const known = new Set([...principals.map((each) => memberOf(each, "id")), ANONYMOUS]);
  itemsOf(access, "rules").forEach((rule, index) => {
    reportUnknownIds(itemsOf(rule, "allow"), known, at.member("rules").item(index).member("allow"));
  });
}

/** Only root can change to other users; another user would be told that it may, and could not. */
export function checkUsers(app: unknown, at: Site): void {
  if (memberOf(app, "users") !== "many" || memberOf(memberOf(app, "user"), "uid") === 0) return;
  at.member("users").problem(
    "one, where the application does not start as root",
    "many",
    "leave it out, or set user: 0",
  );
}

// Two principals with one key could not be told apart; two with one id would share their rights.
function reportRepeated(principals: readonly unknown[], member: "id" | "apiKey", at: Site): void {
  const seen = new Set<unknown>([undefined]);
  principals.forEach((principal, index) => {
    const value = memberOf(principal, member);
    const isFirst = value === undefined || !seen.has(value);
    seen.add(value);
    if (isFirst) return;
    at.item(index).member(member).problem(`an ${member} that no other principal has`, "a repeated one");
  });
}

function reportUnknownIds(allow: readonly unknown[], known: ReadonlySet<unknown>, at: Site): void {
  allow.forEach((id, index) => {
    if (typeof id !== "string" || known.has(id)) return;
    at.item(index).problem("the id of a principal, or anonymous", "an unknown id", "declare it in access.principals");
  });
}

function itemsOf(value: unknown, member: string): readonly unknown[] {
  const items = memberOf(value, member);
  return Array.isArray(items) ? items : [];
}

function memberOf(value: unknown, member: string): unknown {
  return isMap(value) && Object.hasOwn(value, member) ? value[member] : undefined;
}
