/** Remembers what texts were read as. Neither time nor policy changes that: what they decide is judged anew each time. */

/** A Verifier meets some platforms and the few current texts of Intel. */
const maxTexts = 16;

/** Longer ones are read again each time, so that sixteen take at most 2 MiB. */
const maxLength = 64 * 1024;

/** `read`, which looks at each of the last texts once. The whole text is compared; what it refuses is not kept. */
export function rememberReading<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const value = read(text);
    if (text.length <= maxLength) keep(known, text, value);
    return value;
  };
}

function keep<T>(known: Map<string, T>, text: string, value: T): void {
  const [oldest] = known.keys();
  if (known.size >= maxTexts && oldest !== undefined) known.delete(oldest);
  known.set(text, value);
}
