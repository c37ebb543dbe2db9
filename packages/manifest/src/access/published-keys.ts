/** What an issuer publishes, and where: read by the box while it runs, long after the Manifest was written. */
import { normalizeHostName } from "../host-name.ts";
import { isMap, readsQuietly } from "../shape/index.ts";
import { jwkShape } from "./jwk-shape.ts";
import type { Jwk } from "./principal.ts";

/** Where a `PinnedKeys.url` leads. */
export interface KeysLocation {
  /** As `normalizeHostName` answers it. */
  readonly name: string;
  readonly port: number;
  /** The request target: path and query. */
  readonly target: string;
}

/** Reads a URL of the form that a Manifest holds (`PinnedKeys.url`); null for every other, and where its host is no name. */
export function keysLocation(url: string): KeysLocation | null {
  const [, host = "", port = "443", target = ""] = /^https:\/\/([^/:]*)(?::([0-9]+))?(\/.*)$/.exec(url) ?? [];
  const name = normalizeHostName(host);
  return name !== null && name === host ? { name, port: Number(port), target } : null;
}

/** Members that private and symmetric keys alone have (RFC 7518, sections 6.2.2, 6.3.2 and 6.4.1). */
const SECRET: readonly string[] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/** All that is read of a key. What else is published with it has no meaning here, and is ignored (RFC 7517, section 4). */
const READ: readonly string[] = ["kty", "crv", "x", "y", "n", "e", "kid", "alg", "use", "key_ops"];

/**
 * Reads a JWK set as an issuer publishes it (RFC 7517, section 5): the keys that could stand in a Manifest. Keys of other
 * kinds or for another use are left out, and so is whatever shows private or symmetric material: a key that is no secret
 * any more vouches for nobody. Null for what is no JWK set. It does not say which of the keys count.
 */
export function publishedKeys(set: unknown): readonly Jwk[] | null {
  if (!isMap(set) || !Object.hasOwn(set, "keys") || !Array.isArray(set["keys"])) return null;
  return set["keys"].map((key: unknown) => publicKey(key)).filter((key) => key !== undefined);
}

function publicKey(key: unknown): Jwk | undefined {
  if (!isMap(key) || SECRET.some((name) => Object.hasOwn(key, name))) return undefined;
  const read = READ.filter((name) => Object.hasOwn(key, name)).map((name) => [name, key[name]]);
  return readsQuietly(jwkShape, Object.fromEntries(read));
}
