/**
 * Bytes of a Manifest in either form. Ample for a hundred rules and a key set, and small enough that the resolved text
 * fits the Evidence document (1 MiB) even where every character of it is escaped there.
 */
export const MAX_MANIFEST_BYTES = 131_072;

/** Nesting of a Manifest in either form. The deepest member (`access.principals[].jwt.keys.keys[].x5c[]`) is at 9. */
export const MAX_MANIFEST_DEPTH = 16;

/** Characters of a request target. As long as the longest request line that common servers take. */
export const MAX_TARGET_LENGTH = 8192;
