/** Runs every guard, or those named on the command line; one line a breach, exit code 1 when there is any. */
import { fileURLToPath } from "node:url";
import { checkBundle } from "./guards/bundle.ts";
import { checkEntries } from "./guards/entries.ts";
import { checkImports } from "./guards/imports.ts";
import { checkLength } from "./guards/length.ts";
import { checkNames } from "./guards/names.ts";
import type { Problem } from "./guards/sources.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

const guards: Readonly<Record<string, () => Problem[] | Promise<Problem[]>>> = {
  imports: () => checkImports(root),
  entries: () => checkEntries(root),
  length: () => checkLength(root),
  names: () => checkNames(root),
  bundle: () => checkBundle(root),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in guards));
if (unknown.length > 0) {
  console.error(`unknown guard ${unknown.join(", ")}; expected: ${Object.keys(guards).join(", ")}`);
  process.exit(2);
}

let failed = 0;
for (const [name, check] of Object.entries(guards)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const problems = await check();
  console.log(`${problems.length === 0 ? "ok    " : "FAILED"} guard ${name}`);
  for (const problem of problems) console.log(`       ${problem.file}: ${problem.message}`);
  if (problems.length > 0) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
