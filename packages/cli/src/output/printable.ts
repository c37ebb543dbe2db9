/** Control characters, line separators, and what turns the direction of text around. */
const unprintable = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/**
 * Text from outside (a box, a file, a flag) as one line that cannot move the cursor, colour the terminal or pose as
 * another line: such characters are shown as `\u{…}`.
 */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
