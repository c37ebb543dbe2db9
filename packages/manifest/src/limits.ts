/**
 * Bytes of a Manifest in either form. Room for 10,000 callers with API keys and 1,000 rules, and small enough that the
 * resolved text fits the Evidence document (5 MiB) even where every character of it is escaped there.
 */
export const MAX_MANIFEST_BYTES = 2_097_152;

/** Nesting of a Manifest in either form. The deepest member (`access.principals[].allOf[].jwt.keys.keys[].x5c[]`) is at 11. */
export const MAX_MANIFEST_DEPTH = 16;

/** Characters of a request target. As long as the longest request line that common servers take. */
export const MAX_TARGET_LENGTH = 8192;
