/** The folder of the box's own endpoints. Nothing in it ever reaches the application. */
export const RESERVED_PATH = "/.well-known/blindbox";

/** What ends the path of a rule that means a folder and everything below it. */
export const BELOW = "/**";

/** The matching of paths that `createAccessDecider` describes. `pattern` has the form that the parser accepts. */
export function pathMatcher(pattern: string): (plainPath: string) => boolean {
  if (!pattern.endsWith(BELOW)) return (path) => path === pattern;
  const prefix = pattern.slice(0, -2);
  return (path) => path.startsWith(prefix);
}

/** Is whatever the path of one rule matches matched by that of another? */
export function isPathWithin(path: string, accepted: string): boolean {
  if (path === accepted) return true;
  return accepted.endsWith(BELOW) && path.startsWith(accepted.slice(0, -2));
}

/**
 * True for a decoded path (`Target.plainPath`) that is the box's own: never passed to the application, in any mixture of
 * upper and lower case that it might read as ours.
 */
export function isReservedPath(plainPath: string): boolean {
  return `${plainPath.toLowerCase()}/`.startsWith(`${RESERVED_PATH}/`);
}
