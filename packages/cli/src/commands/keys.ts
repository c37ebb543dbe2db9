import { apiKeyDigest } from "@blindbox/manifest";
import type { Command } from "commander";
import { newApiKey, writeKeyFile } from "../api-key-file.ts";
import { exitCodes, type ExitCode } from "../output/exit-codes.ts";
import { CliError } from "../output/failure.ts";
import { hint, note, writeLine, type Terminal } from "../output/terminal.ts";
import { createCommand, type CommandContext } from "./command.ts";
import { placeholderDigest, principalLine, starterManifest, starterProblems } from "../starter-manifest.ts";

interface NewOptions {
  readonly id: string;
  readonly out?: string;
}

/** Before a key is made for it: is the id one that a Manifest takes? */
function checkId(id: string): void {
  const example = { name: "example", image: "example.tar", port: 80, keyDigest: placeholderDigest };
  const problem = starterProblems(starterManifest({ ...example, id })).find(({ path }) => path.endsWith(".id"));
  if (problem === undefined) return;
  throw new CliError({ ...problem, what: "--id", hint: "`--id acme-batch`, for instance" });
}

/**
 * The key alone goes to `stdout` or into a file; the line for the Manifest goes to the other stream, so that
 * `blindbox keys new >key.txt` and `line=$(blindbox keys new --out key.txt)` both give one thing.
 */
async function newKey(options: NewOptions, terminal: Terminal): Promise<ExitCode> {
  checkId(options.id);
  const key = newApiKey();
  const line = principalLine(options.id, await apiKeyDigest(key));
  if (options.out === undefined) {
    writeLine(terminal.stdout, key);
    note(terminal, `\nfor blindbox.yml, under access.principals:\n    ${line}\n`);
    hint(terminal, "the key is shown this once and stored nowhere: keep it as you keep a password");
    return exitCodes.success;
  }
  await writeKeyFile(options.out, key);
  writeLine(terminal.stdout, line);
  hint(
    terminal,
    "put that line into blindbox.yml under access.principals; the file with the key stays with the caller",
  );
  return exitCodes.success;
}

/** `blindbox keys`: keys of callers. */
export function addKeys(context: CommandContext): Command {
  const create = createCommand("new", context)
    .description("makes an API key for a caller, and the line of the Manifest that admits it")
    .option("--id <id>", "how the Manifest calls the caller", "me")
    .option("--out <file>", "write the key into this new file, which only you can read, instead of showing it")
    .action(async (options: NewOptions) => context.finish(await newKey(options, context.terminal)));
  return createCommand("keys", context).description("makes keys for callers").addCommand(create);
}
