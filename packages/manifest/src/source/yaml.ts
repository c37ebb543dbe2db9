import { utf8 } from "@blindbox/encoding";
import {
  type CST,
  Composer,
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  Parser,
  type Scalar,
} from "yaml";
import { MAX_MANIFEST_BYTES, MAX_MANIFEST_DEPTH } from "../limits.ts";
import type { Problem } from "../problem.ts";
import { documentSite, DOCUMENT, type Site } from "../shape/index.ts";

/** A plain value read from text, with what was wrong with the text. The value is undefined where there is none. */
export interface PlainText {
  readonly value: unknown;
  readonly problems: readonly Problem[];
}

/**
 * YAML 1.2 without what makes one text mean several things: no anchors, aliases, merge keys, tags or directives, no second
 * document, no member twice, names that are strings, numbers in plain decimal. What remains is JSON in YAML's spelling.
 */
export function readYaml(text: string): PlainText {
  const problems: Problem[] = [];
  const document = compose(text, problems);
  if (document === undefined) return { value: undefined, problems };
  const value = document.contents === null ? null : plainValue(document.contents, documentSite(problems));
  return { value, problems };
}

function compose(text: string, problems: Problem[]): Document.Parsed | undefined {
  if (isIllFormed(text)) return refuse(problems, "well-formed Unicode", "a lone surrogate");
  if (utf8(text).length > MAX_MANIFEST_BYTES) return refuse(problems, `at most ${MAX_MANIFEST_BYTES} bytes`, "more");
  const lines = new LineCounter();
  const tokens = Array.from(new Parser(lines.addNewLine).parse(text));
  // The composer recurses, so the depth must be known before.
  if (isDeeper(tokens, MAX_MANIFEST_DEPTH)) return refuse(problems, `at most ${MAX_MANIFEST_DEPTH} levels`, "more");
  const composer = new Composer({ version: "1.2", schema: "core", merge: false, uniqueKeys: false });
  const [document, second] = Array.from(composer.compose(tokens, true, text.length));
  if (document === undefined || second !== undefined) return refuse(problems, "one document", "several");
  if (tokens.some((token) => token.type === "directive")) refuse(problems, "no directive", "a line that begins with %");
  for (const { code, pos } of [...document.errors, ...document.warnings]) {
    const { line, col } = lines.linePos(pos[0]);
    problems.push({ path: `line ${line}, column ${col}`, expected: "well-formed YAML", actual: wordsOf(code) });
  }
  return document.errors.length > 0 ? undefined : document;
}

function refuse(problems: Problem[], expected: string, actual: string): undefined {
  problems.push({ path: DOCUMENT, expected, actual });
}

// The codes of the parser are fixed words; its messages quote the text, which may hold a secret.
function wordsOf(code: string): string {
  return code.toLowerCase().replaceAll("_", " ");
}

function isDeeper(tokens: readonly CST.Token[], max: number): boolean {
  let level = tokens.flatMap((token) => (token.type === "document" ? collections([token.value]) : []));
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > max) return true;
    level = level.flatMap(({ items }) => items.flatMap(({ key, value }) => collections([key, value])));
  }
  return false;
}

type CollectionToken = CST.BlockMap | CST.BlockSequence | CST.FlowCollection;

function collections(tokens: readonly (CST.Token | null | undefined)[]): CollectionToken[] {
  return tokens.filter((token): token is CollectionToken => !!token && "items" in token);
}

function plainValue(node: Node, at: Site): unknown {
  if ("anchor" in node && node.anchor !== undefined) at.problem("no anchor", "an anchor", "write the value out");
  if ("tag" in node && node.tag !== undefined) at.problem("no tag", "a tag", "write strings in quotes instead");
  if (isMap(node)) return plainMap(node.items, at);
  if (isSeq(node)) return node.items.map((item, index) => plainValue(item as Node, at.item(index)));
  if (isScalar(node)) return plainScalar(node, at);
  return at.problem("no alias", "an alias", "write the value out");
}

function plainMap(pairs: readonly { readonly key: unknown; readonly value: unknown }[], at: Site): unknown {
  const members = new Map<string, unknown>();
  for (const { key, value } of pairs) {
    const name = plainName(key, members, at);
    if (name === undefined) continue;
    members.set(name, value === null ? null : plainValue(value as Node, at.member(name)));
  }
  return Object.fromEntries(members);
}

function plainName(key: unknown, members: ReadonlyMap<string, unknown>, at: Site): string | undefined {
  if (!isScalar(key) || typeof key.value !== "string") return at.problem("names that are strings", "another name");
  const name = key.value;
  const within = at.member(name);
  if (key.anchor !== undefined || key.tag !== undefined) within.problem("a plain name", "an anchor or a tag");
  if (name === "<<") return within.problem("no merge key", "a merge key", "write the members out");
  if (name === "__proto__" || isIllFormed(name)) return within.problem("a safe name", "an unsafe name");
  if (members.has(name)) return within.problem("each member once", "a repeated member");
  return name;
}

function plainScalar(scalar: Scalar, at: Site): unknown {
  const { value, source } = scalar;
  if (typeof value === "number" && !isPlainDecimal(source))
    return at.problem("a number in plain decimal", "another form");
  if (typeof value === "string" && isIllFormed(value)) return at.problem("well-formed Unicode", "a lone surrogate");
  return value;
}

function isPlainDecimal(source: string | undefined): boolean {
  return source !== undefined && /^(?:0|-?[1-9][0-9]{0,15}|-?(?:0|[1-9][0-9]{0,8})\.[0-9]{1,6})$/.test(source);
}

function isIllFormed(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}
