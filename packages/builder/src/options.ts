/** Which members an options object has: for callers that no compiler checks. */
export interface MemberNames {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/** Throws a TypeError for a member that is missing or that nobody would read. `name` is the function's. */
export function checkMembers(name: string, options: object, { required, optional }: MemberNames): void {
  const given = Object.entries(options).flatMap(([member, value]) => (value === undefined ? [] : [member]));
  const missing = required.filter((member) => !given.includes(member));
  if (missing.length > 0) throw new TypeError(`${name}: options lack ${missing.join(", ")}`);
  const unknown = Object.keys(options).filter((member) => ![...required, ...optional].includes(member));
  if (unknown.length > 0)
    throw new TypeError(`${name}: unknown options ${unknown.map((each) => JSON.stringify(each)).join(", ")}`);
}
