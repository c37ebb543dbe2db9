/** Reading of source trees for the guards: which files there are, what they import, which functions they hold. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseAst } from "rolldown/parseAst";

/** A guard's complaint: where, what, and what would be right. */
export interface Problem {
  readonly file: string;
  readonly message: string;
}

/** One import, export-from, dynamic import or import type of a file. */
export interface ImportEdge {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

interface AstNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

const skipped = new Set(["node_modules", "dist", "bundle", "assets", ".git", ".cache", "coverage"]);

/** Every file below `folder` whose name ends in one of `endings`, sorted, relative to `root`. */
export function listFiles(root: string, folder: string, endings: readonly string[]): string[] {
  const found: string[] = [];
  const walk = (at: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      if (skipped.has(entry.name)) continue;
      const path = join(at, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (endings.some((ending) => entry.name.endsWith(ending))) found.push(relative(root, path));
    }
  };
  try {
    walk(join(root, folder));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  return found.sort();
}

export function readText(root: string, file: string): string {
  return readFileSync(join(root, file), "utf8");
}

/** The syntax tree of one TypeScript or JavaScript file. */
export function parseFile(root: string, file: string): AstNode {
  const text = readText(root, file).replace(/^#!.*/, "");
  return parseAst(text, { lang: file.endsWith("ts") ? "ts" : "js" }) as unknown as AstNode;
}

function isNode(value: unknown): value is AstNode {
  return typeof value === "object" && value !== null && typeof (value as AstNode).type === "string";
}

/** Calls `visit` for every node of the tree, parents first. */
export function walkTree(node: AstNode, visit: (node: AstNode, parents: readonly AstNode[]) => void): void {
  const parents: AstNode[] = [];
  const step = (at: AstNode): void => {
    visit(at, parents);
    parents.push(at);
    for (const value of Object.values(at)) {
      for (const item of Array.isArray(value) ? value : [value]) if (isNode(item)) step(item);
    }
    parents.pop();
  };
  step(node);
}

function literal(node: unknown): string | null {
  return isNode(node) && node.type === "Literal" && typeof node.value === "string" ? node.value : null;
}

/** What the file imports, types included; a computed dynamic import is listed as "(computed)". */
export function importsOf(root: string, file: string): ImportEdge[] {
  const edges: ImportEdge[] = [];
  walkTree(parseFile(root, file), (node) => {
    if (node.type === "ImportExpression" || node.type === "TSImportType") {
      edges.push({ specifier: literal(node.source) ?? "(computed)", typeOnly: node.type === "TSImportType" });
    } else if (/^(Import|ExportNamed|ExportAll)Declaration$/.test(node.type)) {
      const specifier = literal(node.source);
      const typeOnly = node.importKind === "type" || node.exportKind === "type";
      if (specifier !== null) edges.push({ specifier, typeOnly });
    }
  });
  return edges;
}

/** One function of a file: its name where it has one, its first line and how many lines it spans. */
export interface FunctionSpan {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

function nameOf(node: AstNode, parents: readonly AstNode[]): string {
  const own = isNode(node.id) ? node.id.name : undefined;
  const parent = parents.at(-1);
  const given = parent && (isNode(parent.key) ? parent.key.name : isNode(parent.id) ? parent.id.name : undefined);
  const name = own ?? given;
  return typeof name === "string" ? name : "(anonymous)";
}

/** Every function with a body in the file. */
export function functionsOf(root: string, file: string): FunctionSpan[] {
  const text = readText(root, file).replace(/^#!.*/, "");
  const spans: FunctionSpan[] = [];
  walkTree(parseFile(root, file), (node, parents) => {
    if (!/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) return;
    const line = text.slice(0, node.start).split("\n").length;
    spans.push({ name: nameOf(node, parents), line, lines: text.slice(node.start, node.end).split("\n").length });
  });
  return spans;
}
