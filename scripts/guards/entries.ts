/** Public entries: an `exports` map that names files which exist, and index files that only re-export. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { listFiles, parseFile, readText, type Problem } from "./sources.ts";

interface PackageFile {
  readonly name?: string;
  readonly private?: boolean;
  readonly version?: string;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

const reExports = /^(ExportNamedDeclaration|ExportAllDeclaration)$/;

function indexProblems(root: string, file: string): Problem[] {
  const body = parseFile(root, file).body as { type: string; source?: unknown; declaration?: unknown }[];
  return body.flatMap((node) => {
    const reExport = reExports.test(node.type) && (node.declaration ?? null) === null;
    return reExport ? [] : [{ file, message: `an index file only re-exports; found ${node.type}` }];
  });
}

function sourceOf(entry: string | Readonly<Record<string, string>>): string | undefined {
  return typeof entry === "string" ? entry : entry["blindbox-source"];
}

function exportsProblems(root: string, file: string): Problem[] {
  const description = JSON.parse(readText(root, file)) as PackageFile;
  const entries = Object.entries(description.exports ?? {});
  if (entries.length === 0) return [{ file, message: "no `exports` map: every internal file would be public" }];
  return entries.flatMap(([name, entry]) => {
    const source = sourceOf(entry);
    if (name.includes("*")) return [{ file, message: `entry ${name} is a pattern: internals would be reachable` }];
    if (source === undefined) return [{ file, message: `entry ${name} names no source` }];
    return existsSync(join(root, file, "..", source)) ? [] : [{ file, message: `entry ${name}: no file ${source}` }];
  });
}

function versionProblems(root: string, files: readonly string[]): Problem[] {
  const expected = (JSON.parse(readText(root, "package.json")) as PackageFile).version;
  return files.flatMap((file) => {
    const { version } = JSON.parse(readText(root, file)) as PackageFile;
    return version === expected ? [] : [{ file, message: `version ${version}: all packages carry ${expected}` }];
  });
}

/** All breaches of the rules for public entries below `root`. */
export function checkEntries(root: string): Problem[] {
  const descriptions = listFiles(root, "packages", ["package.json"]).filter((file) => file.split("/").length === 3);
  if (descriptions.length === 0) return [{ file: "packages", message: "no package found: nothing was checked" }];
  const indexes = listFiles(root, "packages", ["index.ts"]).filter((file) => file.includes("/src/"));
  return [
    ...descriptions.flatMap((file) => exportsProblems(root, file)),
    ...versionProblems(root, descriptions),
    ...indexes.flatMap((file) => indexProblems(root, file)),
  ];
}
