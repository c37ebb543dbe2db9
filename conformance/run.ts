/** What `conformance/run` does: case files in, one JSON line a case out, and whether all of them match. */
import { canonicalJson } from "@blindbox/encoding";
import { openCase, type OpenCase } from "./case.ts";
import { compareVerdict } from "./compare.ts";
import { judges } from "./tees/index.ts";

/** A mistake in what was typed, or a file that is no case of this runner's. */
class UsageError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

const usage = "conformance/run [--print] CASE.json…";

function filesOf(words: readonly string[]): readonly string[] {
  const unknown = words.find((word) => word.startsWith("-") && word !== "--print");
  if (unknown !== undefined) throw new UsageError("an unknown option; expected --print or none", usage);
  const files = words.filter((word) => word !== "--print");
  if (files.length === 0) throw new UsageError("no case file; expected at least one", usage);
  return files;
}

function open(file: string): OpenCase {
  try {
    const opened = openCase(file);
    if (judges[opened.tee] !== undefined && Number.isSafeInteger(opened.now)) return opened;
  } catch (error) {
    const reason = error instanceof SyntaxError ? "no JSON" : "a file that cannot be read";
    throw new UsageError(`${shown(file)}: expected a case, got ${reason}`, "name files of cases/<tee>/");
  }
  const expected = `a verification case of ${Object.keys(judges).join(", ")}`;
  throw new UsageError(
    `${shown(file)}: expected ${expected}, got something else`,
    "measurement cases are not judged here",
  );
}

/** A name may hold anything; a terminal gets visible characters. */
function shown(file: string): string {
  return file.replace(/[^\x20-\x7e]/g, "?");
}

async function runCase(file: string): Promise<boolean> {
  const opened = open(file);
  const judge = judges[opened.tee];
  if (judge === undefined) return false;
  const { verdict, code, claims } = await judgeWith(judge, opened, file);
  console.log(canonicalJson({ id: opened.id, verdict, code, claims }));
  const differences = compareVerdict(opened.expect, { verdict, code, claims });
  for (const difference of differences) console.error(`${opened.id}: ${difference}`);
  return differences.length === 0;
}

function judgeWith(
  judge: NonNullable<(typeof judges)[string]>,
  opened: OpenCase,
  file: string,
): ReturnType<typeof judge> {
  return judge({
    ...opened,
    bytes: (path) => {
      try {
        return opened.bytes(path);
      } catch {
        throw new UsageError(
          `${shown(file)}: expected the files that it names, got none at one of its paths`,
          "keep the cases beside their vectors",
        );
      }
    },
  });
}

async function run(words: readonly string[]): Promise<number> {
  const outcomes: boolean[] = [];
  for (const file of filesOf(words)) outcomes.push(await runCase(file));
  return words.includes("--print") || outcomes.every(Boolean) ? 0 : 1;
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`error: ${error.message}\nhint:  ${error.hint}`);
  process.exitCode = 2;
}
