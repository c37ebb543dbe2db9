/**
 * Writes docs/errors.md from the sources, so that the public codes are listed in one place and none is forgotten;
 * with --check, fails when the page differs from what would be written.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { listFiles, readText } from "./guards/sources.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = "docs/errors.md";

function all(text: string, pattern: RegExp): string[][] {
  const rows = [...text.matchAll(pattern)].map((match) => match.slice(1).map((part) => part ?? ""));
  if (rows.length === 0) throw new Error(`nothing matches ${pattern.source}: the sources changed their form`);
  return rows;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function attestationErrors(): string {
  const text = readText(root, "packages/attestation/src/errors.ts");
  const classes = all(text, /\/\*\* (.+) \*\/\nexport class (\w+) extends AttestationError[\s\S]*?super\("([a-z-]+)"/g);
  return table(
    ["class", "code", "means"],
    classes.map(([doc, name, code]) => [`\`${name}\``, `\`${code}\``, doc ?? ""]),
  );
}

/** A check is named as a member, or as an argument of the functions that make findings and readings. */
const checkName =
  /\bcheck: "([a-z0-9-]+)"|\b(?:skipped|malformed)\(\s*"[a-z]+",\s*"([a-z0-9-]+)"|\b(?:reading|unread|unmeasured)\(\s*"([a-z0-9-]+)",/g;

/** Checks that are the keys of a table: how the connection or its answer was wrong before there was a document. */
const checkTables: readonly string[] = ["transport/answer-error.ts", "transport/channel-error.ts"];

function tabledChecks(): { readonly file: string; readonly name: string }[] {
  return checkTables.flatMap((path) => {
    const file = `packages/client/src/${path}`;
    return all(readText(root, file), /^ {2}"([a-z-]+)":/gm).map(([name]) => ({ file, name: name ?? "" }));
  });
}

function releaseChecks(): { readonly file: string; readonly name: string }[] {
  const [codes] = all(readText(root, "packages/release/src/difference.ts"), /readonly code: ([^;]+);/g)[0] ?? [];
  const file = "packages/client/src/appraisal/release-findings.ts";
  return all(codes ?? "", /"([a-z-]+)"/g).map(([code]) => ({ file, name: `release-${code}` }));
}

function checks(): string {
  const sources = ["packages/attestation/src", "packages/client/src"].flatMap((folder) =>
    listFiles(root, folder, [".ts"]),
  );
  const named = sources.flatMap((file) =>
    [...readText(root, file).matchAll(checkName)].map((match) => ({
      file,
      name: match[1] ?? match[2] ?? match[3] ?? "",
    })),
  );
  const rows = [...named, ...tabledChecks(), ...releaseChecks()];
  const names = [...new Set(rows.map((row) => row.name))].sort();
  return table(
    ["check", "made in"],
    names.map((name) => {
      const files = [
        ...new Set(rows.filter((row) => row.name === name).map((row) => row.file.replace("packages/", ""))),
      ];
      return [`\`${name}\``, files.map((file) => `\`${file}\``).join(", ")];
    }),
  );
}

function failureCodes(): string {
  const file = "packages/attestation/src/failure-codes.ts";
  return table(["code", "means"], commented(file, /\/\*\* (.+) \*\/\n {2}"([a-z-]+)",/g));
}

function union(file: string, name: string): string {
  const [body] = all(readText(root, file), new RegExp(`export type ${name} =\\s*([^;]+);`, "g"))[0] ?? [];
  return all(body ?? "", /"([a-z-]+)"/g)
    .map(([code]) => `\`${code}\``)
    .join(", ");
}

function problems(): string {
  const text = readText(root, "packages/enclave/src/gateway/problems.ts");
  const rows = all(text, /^ {2}"?([a-z-]+)"?: (?:open|closing)\((\d{3}), "([^"]+)"/gm);
  return table(
    ["status", "type", "title"],
    rows.map(([code, status, title]) => [status ?? "", `\`urn:blindbox:problem:${code}\``, title ?? ""]),
  );
}

/** Codes of a list or union whose members have one line of comment each. */
function commented(file: string, pattern: RegExp): string[][] {
  return all(readText(root, file), pattern).map(([means, code]) => [`\`${code}\``, means ?? ""]);
}

function ledgerVerdicts(): string {
  const file = "packages/attestation/src/ledger/verdicts.ts";
  return table(["verdict", "means"], commented(file, /\/\*\* (.+) \*\/\n {2}"([a-z-]+)",/g));
}

function ledgerDifferences(): string {
  const file = "packages/attestation/src/ledger/verify.ts";
  return table(["code", "means"], commented(file, /\/\*\* (.+) \*\/\n {2}\| "([a-z-]+)"/g));
}

/** A status that no verdict names stands for all the others. */
function egressProblems(): string {
  const text = readText(root, "packages/enclave/src/egress/modes/requests/problems.ts");
  const statuses = all(text, /^ {2}"(refused-[a-z-]+)": (\d{3}),$/gm);
  const verdictsOf = (status: string): string =>
    statuses
      .filter((row) => row[1] === status)
      .map(([verdict]) => `\`${verdict}\``)
      .join(", ");
  const titles = all(text, /^ {2}(\d{3}): "(.+)",$/gm);
  return table(
    ["status", "verdicts", "title"],
    titles.map(([status, title]) => [status ?? "", verdictsOf(status ?? "") || "all others", title ?? ""]),
  );
}

function exitCodes(): string {
  const text = readText(root, "packages/cli/src/output/exit-codes.ts");
  const rows = all(text, /^ {2}\/\*\* (.+) \*\/\n {2}\w+: (\d+),$/gm);
  return table(
    ["code", "means"],
    rows.map(([means, code]) => [code ?? "", means ?? ""]),
  );
}

function catalogue(): string {
  return `# Errors and codes

Made from the sources by \`scripts/error-catalog.ts\`. Codes are public: they mean the same in every version.

## A box was refused

Every one is an \`AttestationError\` with \`code\`, \`findings\`, \`result\` and \`hint\`. The first failed step chooses the class; \`findings\` holds every
comparison, those that passed too. Nothing of the request was sent.

${attestationErrors()}

## Checks

What a \`Finding\` can be about.

${checks()}

## Why Evidence or Endorsements were refused

The \`code\` of a failed finding of the steps parse, authenticate and platform. They are the codes of the conformance cases (\`conformance/run\`), so verifiers can
be held against each other.

${failureCodes()}

## No connection

\`ConnectionError\` of the client: ${union("packages/client/src/connection-error.ts", "ConnectionErrorCode")}.
A mistake in the options is a \`TypeError\` that names the option.

## What a box answers

\`application/problem+json\`. None says anything of the application, of who may call, or of what the caller sent.

${problems()}

## What the way out answers the app

In modes \`verified\` and \`http\`, \`application/problem+json\` whose type is \`urn:blindbox:problem:egress:\` and the verdict that stands in the ledger. What is refused
before there is a request, and all of the other modes, is a connection that is reset.

${egressProblems()}

## What stands in the ledger

A verdict of a record. All that begin with \`refused-\` are refusals.

${ledgerVerdicts()}

In what a ledger differs from the one that was attested (\`blindbox audit\`, \`verifyLedger\`):

${ledgerDifferences()}

## Why a box does not start

${union("packages/enclave/src/refusal.ts", "RefusalCode")}.

Behind \`sandbox-failed\`, \`self-test-failed\` and the event \`app-start-failed\` stands why there is no sandbox:
${union("packages/enclave/src/sandbox/errors.ts", "SandboxErrorCode")}.

## Why an image is not built or unpacked

${union("packages/builder/src/build-error.ts", "BuildErrorCode")}.

## Why a box does not run on this machine

${union("packages/builder/src/local/run-error.ts", "RunErrorCode")}.

## Exit codes of the command line

${exitCodes()}
`;
}

const text = catalogue();
if (process.argv.includes("--check")) {
  const same = readFileSync(join(root, page), "utf8") === text;
  console.log(same ? `${page} is up to date` : `${page} differs from the sources; run node scripts/error-catalog.ts`);
  process.exit(same ? 0 : 1);
}
writeFileSync(join(root, page), text);
