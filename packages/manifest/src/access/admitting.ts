/** What a rule makes of a request that it admits. Asked by the decider, and by whoever compares what deciders do. */
import { METHOD_OVERRIDES } from "./method-overrides.ts";
import { ANONYMOUS } from "./principal.ts";
import type { AccessRule } from "./rule.ts";

/** The id that a request counts for and that the application is told: of several, the first that the rule names. */
export function principalUnder({ allow }: Pick<AccessRule, "allow">, ids: readonly string[]): string {
  const [only = ANONYMOUS] = ids;
  return ids.length === 1 ? only : (allow.find((id) => ids.includes(id)) ?? only);
}

/** The method overrides that go on to the application: those that the rule lists with their values. */
export function passedOverrides({ headers }: Pick<AccessRule, "headers">): readonly string[] {
  return Object.entries(headers).flatMap(([name, term]) =>
    "oneOf" in term && METHOD_OVERRIDES.has(name) ? [name] : [],
  );
}
