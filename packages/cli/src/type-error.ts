/** The libraries' TypeErrors about what a file said, in the words of the command line. */

/** What one of them says: a path, what was expected there, what was there instead. */
export interface TypeErrorFacts {
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
}

/** Reads a message of the forms that attestation's readers write: `path: expected …`, `path: unknown; …`, `path: missing; …`. */
export function factsOf({ message }: TypeError): TypeErrorFacts {
  const [, field = "", problem = message] = /^([\w.[\]]+): (.*)$/s.exec(message) ?? [];
  const expected = /^expected (.*)$/s.exec(problem)?.[1];
  if (expected !== undefined) return { field, expected, actual: "something else" };
  if (problem.startsWith("missing")) return { field, expected: "a value", actual: "nothing, and nothing is assumed" };
  const known = /^unknown; expected only (.*)$/s.exec(problem)?.[1];
  return { field, expected: known === undefined ? "a known member" : `only ${known}`, actual: "an unknown member" };
}
