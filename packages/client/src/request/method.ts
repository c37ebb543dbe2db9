/** Methods that would make the box's gateway a proxy or echo a request with its credential. */
const refused: readonly string[] = ["CONNECT", "TRACE", "TRACK"];

/**
 * A method in upper case.
 *
 * @throws TypeError for what is no method, and for CONNECT, TRACE and TRACK.
 */
export function readMethod(method: unknown): string {
  if (typeof method !== "string" || !/^[A-Za-z]{1,32}$/.test(method))
    throw new TypeError("method must be 1 to 32 letters");
  const name = method.toUpperCase();
  if (refused.includes(name)) throw new TypeError(`method must not be ${name}`);
  return name;
}
