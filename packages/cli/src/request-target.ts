import { CliError } from "./output/failure.ts";

const plain = /[A-Za-z0-9%/\\._~-]/;

/** Escapes everything that means the same escaped and not, so that two spellings can be compared. */
function escaped(target: string): string {
  const characters = [...new TextEncoder().encode(target)].map((byte) => {
    const character = String.fromCharCode(byte);
    return plain.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  });
  return characters.join("");
}

/**
 * Demands that `url`, made of `address`, asks for what was written: reading a URL drops dot segments, also escaped ones,
 * turns backslashes around and forgets line breaks, and rules of access are about paths. Escapes may be added.
 * Throws a `CliError`, without any of the address: its query may be a secret.
 */
export function checkTarget(address: string, url: URL): void {
  const [, target = ""] = /^https:\/\/[^/?#\\]*([^#]*)/i.exec(address) ?? [];
  const written = target.startsWith("/") ? target : `/${target}`;
  if (escaped(written) === escaped(url.pathname + url.search)) return;
  throw new CliError({
    what: "the URL",
    expected: "a path that is sent as it is written",
    actual: "one that would be sent as another",
    hint: "write the path without `.` and `..` (also as `%2e`), backslashes and line breaks",
  });
}
