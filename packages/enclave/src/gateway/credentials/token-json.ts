/** JSON as a token or a JWK set may hold it: whatever RFC 8259 allows, but no member twice, at any level. */
import { EncodingError } from "@blindbox/encoding";

/** Strings, brackets, colons; numbers and words need no look, since JSON.parse has read them. */
const tokens = /"(?:[^"\\]|\\.)*"|[{}:[\]]/g;

/**
 * Reads JSON. Two parties could read a text with a member twice in two ways, so such a text has no meaning here.
 *
 * @throws EncodingError for what is no JSON, a member twice, or `__proto__`.
 */
export function parseTokenJson(text: string): unknown {
  const value = parsed(text);
  const open: (Set<string> | null)[] = [];
  let last = "";
  for (const [token] of text.matchAll(tokens)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(null);
    else if (token === "}" || token === "]") open.pop();
    else if (token === ":") demandNew(open.at(-1), last);
    last = token;
  }
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new EncodingError("bad-encoding", "token", "JSON", "other text");
  }
}

function demandNew(members: Set<string> | null | undefined, name: string): void {
  const plain = JSON.parse(name) as string;
  if (members === undefined || members === null || members.has(plain) || plain === "__proto__") {
    throw new EncodingError("bad-encoding", "token", "each member once", "a member twice");
  }
  members.add(plain);
}
