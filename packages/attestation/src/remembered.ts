/** Remembers what texts were read as. Neither time nor policy changes that: what they decide is judged anew each time. */

/** How much is kept. */
export interface ReadingLimits {
  readonly maxTexts: number;
  /** Longer texts are read again each time. */
  readonly maxLength: number;
}

/**
 * `read`, which looks at each of the last texts once. The whole text is compared; what it refuses is not kept, and the oldest
 * makes room. What comes beside the text only names it in errors.
 */
export function remembered<T, Rest extends readonly unknown[]>(
  { maxTexts, maxLength }: ReadingLimits,
  read: (text: string, ...rest: Rest) => T,
): (text: string, ...rest: Rest) => T {
  const known = new Map<string, T>();
  return (text, ...rest) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const value = read(text, ...rest);
    if (text.length > maxLength) return value;
    const [oldest] = known.keys();
    if (known.size >= maxTexts && oldest !== undefined) known.delete(oldest);
    known.set(text, value);
    return value;
  };
}
