/** The grammar of {@link parseForeignJson}: one pass, no backtracking, so that time grows with the text and no faster. */
import { hasLoneSurrogate } from "../bytes/text.ts";
import { EncodingError } from "../encoding-error.ts";
import type { JsonValue } from "./value.ts";

/** Where a value stands in the text. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

const quote = 0x22;
const backslash = 0x5c;
const firstPrintable = 0x20;

/** The one name that an assignment would turn into a prototype in the hands of a careless reader. */
const prototypeMember = "__proto__";

const literals: readonly (readonly [text: string, value: JsonValue])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
];

/** Reads one text from front to back. Made for one text, and used once. */
export class ForeignJsonScanner {
  /** The members of the outermost object, with where their values stand. Filled by {@link ForeignJsonScanner.document}. */
  readonly outermost: Map<string, Place> = new Map();
  readonly #text: string;
  readonly #field: string;
  readonly #maxDepth: number;
  readonly #number: RegExp = /-?(?:0|[1-9][0-9]*)(?![0-9.eE])/y;
  #at = 0;

  constructor(text: string, field: string, maxDepth: number) {
    this.#text = text;
    this.#field = field;
    this.#maxDepth = maxDepth;
  }

  /** The one value of the text. */
  document(): JsonValue {
    this.#space();
    const value = this.#value(0);
    this.#space();
    if (this.#at === this.#text.length) return value;
    throw this.#error("trailing-bytes", "the end of the text");
  }

  #value(depth: number): JsonValue {
    const first = this.#text[this.#at];
    if (first === "{") return this.#object(this.#deeper(depth));
    if (first === "[") return this.#array(this.#deeper(depth));
    if (first === '"') return this.#string();
    const literal = literals.find(([text]) => this.#text.startsWith(text, this.#at));
    if (literal === undefined) return this.#integer();
    this.#at += literal[0].length;
    return literal[1];
  }

  #object(depth: number): JsonValue {
    const members = Object.create(null) as Record<string, JsonValue>;
    this.#list("}", () => {
      const name = this.#name(members);
      const start = this.#at;
      members[name] = this.#value(depth);
      if (depth === 1) this.outermost.set(name, { start, end: this.#at });
    });
    return members;
  }

  #name(members: Readonly<Record<string, JsonValue>>): string {
    const name = this.#string();
    if (name === prototypeMember || name in members) throw this.#error("bad-encoding", "each member once");
    this.#space();
    this.#expect(":");
    this.#space();
    return name;
  }

  #array(depth: number): JsonValue {
    const items: JsonValue[] = [];
    this.#list("]", () => items.push(this.#value(depth)));
    return items;
  }

  /** What stands between the bracket at the cursor and `closing`: items with commas between them. */
  #list(closing: string, item: () => void): void {
    this.#at += 1;
    this.#space();
    if (this.#take(closing)) return;
    do {
      this.#space();
      item();
      this.#space();
    } while (this.#take(","));
    this.#expect(closing);
  }

  #string(): string {
    const start = this.#at;
    this.#expect('"');
    let escaped = false;
    for (let code = this.#next(); code !== quote; code = this.#next()) {
      if (!(code >= firstPrintable)) throw this.#error("bad-encoding", "a string without control characters");
      if (code !== backslash) continue;
      escaped = true;
      this.#at += 1;
    }
    return escaped ? this.#unescaped(start) : this.#text.slice(start + 1, this.#at - 1);
  }

  /** The code unit at the cursor, which moves behind it; NaN behind the end of the text. */
  #next(): number {
    const code = this.#text.charCodeAt(this.#at);
    this.#at += 1;
    return code;
  }

  #unescaped(start: number): string {
    const text = this.#parsed(this.#text.slice(start, this.#at));
    if (!hasLoneSurrogate(text)) return text;
    throw this.#badString();
  }

  #parsed(literal: string): string {
    try {
      return JSON.parse(literal) as string;
    } catch {
      // The engine's message quotes the text.
      throw this.#badString();
    }
  }

  #badString(): EncodingError {
    return new EncodingError("bad-encoding", this.#field, "a string with JSON's escapes, of Unicode", "another string");
  }

  #integer(): number {
    this.#number.lastIndex = this.#at;
    const value = Number(this.#number.exec(this.#text)?.[0] ?? Number.NaN);
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw this.#error("bad-encoding", "a value of JSON");
    this.#at = this.#number.lastIndex;
    return value;
  }

  #deeper(depth: number): number {
    if (depth < this.#maxDepth) return depth + 1;
    throw new EncodingError("limit-exceeded", this.#field, `at most ${this.#maxDepth} levels`, "more");
  }

  #space(): void {
    while (" \n\r\t".includes(this.#text[this.#at] ?? "end")) this.#at += 1;
  }

  #take(character: string): boolean {
    const found = this.#text[this.#at] === character;
    if (found) this.#at += 1;
    return found;
  }

  #expect(character: string): void {
    if (!this.#take(character)) throw this.#error("bad-encoding", `the character ${character}`);
  }

  #error(code: "bad-encoding" | "trailing-bytes", expected: string): EncodingError {
    const end = this.#at >= this.#text.length;
    const actual = `${end ? "the end of the text" : "other text"} at ${Math.min(this.#at, this.#text.length)}`;
    return new EncodingError(code === "bad-encoding" && end ? "truncated" : code, this.#field, expected, actual);
  }
}
