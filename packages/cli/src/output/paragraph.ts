/** Where the words of a paragraph go on in the next line: with what stands before it, some 120 columns. */
const width = 96;

/** A paragraph in lines; a word that is longer than a line stays whole, so that it can be copied. */
export function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < width) lines[lines.length - 1] = `${last} ${word}`;
    else if (word !== "") lines.push(word);
  }
  return lines;
}
