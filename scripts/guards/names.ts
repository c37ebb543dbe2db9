/** Forbidden names (GLOSSARY.md says which word to use) and forbidden text (paths of a machine, registry hosts). */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { listFiles, parseFile, readText, walkTree, type Problem } from "./sources.ts";

const emptyWords = "util|utils|helper|helpers|common|core|service|manager|handle|handler|process|do|misc";
const emptyFileName = new RegExp(`^(${emptyWords})(\\.|-|$)`);
const emptyIdentifier = new RegExp(
  `^(${emptyWords}|(handle|process|do)[A-Z]\\w*|\\w+(Util|Utils|Helper|Manager|Service))$`,
);

/** Words that the glossary replaces, where a name of ours would carry them. */
const replacedWords: readonly (readonly [RegExp, string])[] = [
  [/prover|quoteProvider/i, "Attester"],
  [/golden/i, "ReferenceValues"],
  [/collateral/i, "Endorsements"],
  [/jail/i, "Sandbox"],
  [/enclaveType/i, "tee"],
  [/\bvalidator\b/i, "Verifier"],
];

/** Rooms where a vendor's own words are right: each TEE's folder speaks its vendor's language. */
const vendorRooms = /^packages\/(attestation\/src\/(sev-snp|tdx|nitro|azure-vtpm|endorsers)|measure\/src)\//;

const forbiddenText: readonly (readonly [RegExp, string])[] = [
  [/\/(work|root|home)\/[a-z]/, "a path of a machine"],
  [/registry\.npmjs\.org|deb\.debian\.org|registry\.yarnpkg\.com/, "a registry host"],
  [/\b(TODO|FIXME|XXX)\b/, "an unfinished mark"],
];

function declaredNames(root: string, file: string): string[] {
  const names: string[] = [];
  walkTree(parseFile(root, file), (node) => {
    if (
      !/^(FunctionDeclaration|ClassDeclaration|TSInterfaceDeclaration|TSTypeAliasDeclaration|VariableDeclarator)$/.test(
        node.type,
      )
    )
      return;
    const id = node.id as { type: string; name?: string } | null;
    if (id?.type === "Identifier" && id.name !== undefined) names.push(id.name);
  });
  return names;
}

function nameProblem(file: string, name: string): Problem | null {
  if (emptyIdentifier.test(name)) return { file, message: `name ${name} says nothing: use the field's word` };
  if (vendorRooms.test(file)) return null;
  const better = replacedWords.find(([word]) => word.test(name));
  return better === undefined ? null : { file, message: `name ${name}: the glossary's word is ${better[1]}` };
}

function sourceProblems(root: string, file: string): Problem[] {
  const fileName = emptyFileName.test(basename(file)) ? [{ file, message: "file name says nothing" }] : [];
  const names = declaredNames(root, file).flatMap((name) => nameProblem(file, name) ?? []);
  return [...fileName, ...names];
}

function textProblems(root: string, file: string): Problem[] {
  if (file.endsWith("guards/names.ts") || file.endsWith("guards.test.ts")) return [];
  const text = readText(root, file);
  return forbiddenText.flatMap(([pattern, what]) => {
    const found = pattern.exec(text);
    return found === null ? [] : [{ file, message: `holds ${what}: ${JSON.stringify(found[0])}` }];
  });
}

function trackedFiles(root: string): string[] {
  // In a container the checkout is often another user's; we only list its files.
  const args = ["-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard"];
  const list = execFileSync("git", args, { cwd: root, encoding: "utf8" });
  return (
    list
      .split("\n")
      // A file that was removed and is not committed yet is still in the list.
      .filter((file) => existsSync(join(root, file)))
      .filter((file) => /\.(ts|js|mjs|json|md|yml|yaml|sh)$/.test(file) || /^(demo|test|\.ci\/run)$/.test(file))
  );
}

/** All forbidden names and texts below `root`. */
export function checkNames(root: string): Problem[] {
  const sources = listFiles(root, "packages", [".ts"]).filter(
    (file) => file.includes("/src/") && !file.endsWith(".d.ts"),
  );
  if (sources.length === 0) return [{ file: "packages", message: "no source file found: nothing was checked" }];
  return [
    ...sources.flatMap((file) => sourceProblems(root, file)),
    ...trackedFiles(root).flatMap((file) => textProblems(root, file)),
  ];
}
