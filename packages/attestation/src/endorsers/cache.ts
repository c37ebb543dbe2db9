/** Keeping what the vendors answered, so that they are asked seldom and a box starts while one of them is down. */
import type { JsonValue } from "@blindbox/encoding";

/** Some members of the Endorsements, by name. */
export type Fragment = Readonly<Record<string, JsonValue>>;

/** One answer as it is kept. It is read anew when it is taken out: a cache need not be trusted. */
export interface CachedPart {
  readonly fragment: Fragment;
  /** When it was fetched: whole seconds since 1970. */
  readonly fetched: number;
  /** After that it is of no use: seconds since 1970. A cache may drop it then, or earlier. */
  readonly notAfter: number;
}

/** Where answers are kept. `key` is opaque text. What cannot be read back is `null`, as what never was there. */
export interface EndorsementCache {
  get(key: string): Promise<CachedPart | null>;
  put(key: string, part: CachedPart): Promise<void>;
}

/** A machine asks for three or four parts; a tool that looks at many boxes for some more. Each has at most 512 KiB. */
const maxParts = 64;

/** A cache that lives as long as its holder. The oldest part makes room. */
export function memoryCache(): EndorsementCache {
  const parts = new Map<string, CachedPart>();
  return {
    get: (key) => Promise.resolve(parts.get(key) ?? null),
    put: (key, part) => {
      parts.delete(key);
      parts.set(key, part);
      const [oldest] = parts.keys();
      if (parts.size > maxParts && oldest !== undefined) parts.delete(oldest);
      return Promise.resolve();
    },
  };
}
