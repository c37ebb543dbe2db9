/** The whole check in order; prints each step, every skipped test by name, and `N passed, N failed, N skipped` last. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const quick = process.argv.includes("--quick");

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

function run(name: string, command: readonly string[]): boolean {
  const started = Date.now();
  const [program = "", ...rest] = command;
  const { status, stdout, stderr } = spawnSync(program, rest, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });
  const ok = status === 0;
  console.log(`${ok ? "ok    " : "FAILED"} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  if (!ok) console.log(`${stdout}${stderr}`);
  return ok;
}

const steps: readonly (readonly [string, readonly string[]])[] = [
  ["types", ["tsc", "-b"]],
  ["enclave bundle", ["node", "scripts/bundle-enclave.ts"]],
  ["lint", ["oxlint", "--type-aware", "--deny-warnings"]],
  ["format", ["biome", "format", "."]],
  ["guard imports", ["node", "scripts/check-all.ts", "imports"]],
  ["guard public entries", ["node", "scripts/check-all.ts", "entries"]],
  ["guard length", ["node", "scripts/check-all.ts", "length"]],
  ["guard names and text", ["node", "scripts/check-all.ts", "names"]],
  ["guard enclave bundle", ["node", "scripts/check-all.ts", "bundle"]],
  ["package files", ["node", "scripts/check-packages.ts"]],
  ["code blocks in docs", ["node", "scripts/check-docs.ts"]],
  ["error catalogue", ["node", "scripts/error-catalog.ts", "--check"]],
];

function tests(totals: Totals): void {
  // In the checkout: a run that is interrupted leaves nothing elsewhere.
  const report = join(root, ".cache/test/report.json");
  mkdirSync(dirname(report), { recursive: true });
  rmSync(report, { force: true });
  // Tests that need namespaces, whole images or several processes end in .slow.test.ts: left to the full run.
  const scope = quick ? ["--exclude", "**/*.slow.test.ts"] : [];
  const command = ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...scope];
  const { status } = spawnSync("vitest", command, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  try {
    addReport(JSON.parse(readFileSync(report, "utf8")) as VitestReport, totals, status);
  } catch (error) {
    console.log(`FAILED the test runner left no report: ${String(error)}`);
    totals.failed += 1;
  }
}

function addReport(report: VitestReport, totals: Totals, status: number | null): void {
  const results = report.testResults.flatMap((file) => file.assertionResults);
  const passed = results.filter((result) => result.status === "passed").length;
  const failed = results.filter((result) => result.status === "failed").length;
  const skipped = results.filter((result) => result.status !== "passed" && result.status !== "failed");
  for (const result of skipped) console.log(`skipped ${result.fullName}`);
  const brokenFiles = report.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  );
  for (const file of brokenFiles) console.log(`FAILED to load ${file.name.replace(root, "")}`);
  totals.passed += passed;
  totals.skipped += skipped.length;
  totals.failed += failed + brokenFiles.length;
  // A runner that failed for a reason that no test carries (an unhandled rejection, say) is a failure all the same.
  if (status !== 0 && failed + brokenFiles.length === 0) totals.failed += 1;
}

const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
for (const [name, command] of steps) {
  if (run(name, command)) totals.passed += 1;
  else totals.failed += 1;
}
tests(totals);
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exit(totals.failed === 0 ? 0 : 1);
