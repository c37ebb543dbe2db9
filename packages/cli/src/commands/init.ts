import { existsSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { apiKeyDigest } from "@blindbox/manifest";
import { InvalidArgumentError, Option, type Command } from "commander";
import { newApiKey, writeKeyFile } from "../api-key-file.ts";
import { writeNewFile } from "../files.ts";
import { imagePath } from "../manifest-file.ts";
import { exitCodes, type ExitCode } from "../output/exit-codes.ts";
import { CliError, DocumentError } from "../output/failure.ts";
import { printable } from "../output/printable.ts";
import { hint, note, type Terminal } from "../output/terminal.ts";
import { createCommand, type CommandContext } from "./command.ts";
import { placeholderDigest, starterManifest, starterProblems, type StarterFacts } from "../starter-manifest.ts";

interface InitOptions {
  readonly image: string;
  readonly name: string;
  readonly port: number;
  readonly id: string;
  readonly keyDigest?: string;
  readonly newKey?: string;
  readonly out: string;
}

/** What is known of the first caller's key: its digest for the Manifest, and the key itself where it is made here. */
interface FirstKey {
  readonly digest: string;
  readonly made: { readonly key: string; readonly file: string } | null;
}

async function firstKey({ keyDigest, newKey }: InitOptions): Promise<FirstKey> {
  if (newKey === undefined) return { digest: keyDigest ?? placeholderDigest, made: null };
  const key = newApiKey();
  return { digest: await apiKeyDigest(key), made: { key, file: newKey } };
}

function demandNewFiles(files: readonly string[]): void {
  for (const file of files) {
    if (!existsSync(file)) continue;
    throw new CliError({
      what: printable(file),
      expected: "a new file",
      actual: "a file that is there already",
      hint: "name another file; nothing is overwritten",
    });
  }
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError("expected a port from 1 to 65535");
}

/** Both files are new, or neither is written. */
async function writeFiles(out: string, text: string, made: FirstKey["made"]): Promise<void> {
  if (made === null) return writeNewFile(out, text, 0o644);
  demandNewFiles([out, made.file]);
  await writeKeyFile(made.file, made.key);
  try {
    await writeNewFile(out, text, 0o644);
  } catch (error) {
    await unlink(made.file);
    throw error;
  }
}

function noteWritten(terminal: Terminal, { image, out }: InitOptions, made: FirstKey["made"]): void {
  if (made !== null) note(terminal, `wrote ${printable(made.file)}: the caller's key, which stands nowhere else`);
  note(terminal, `wrote ${printable(out)}`);
  if (existsSync(imagePath(out, image))) return;
  note(terminal, `note: there is no ${printable(image)} yet: \`blindbox build\` needs an OCI layout or archive there`);
}

async function init(options: InitOptions, terminal: Terminal): Promise<ExitCode> {
  const { digest, made } = await firstKey(options);
  const facts: StarterFacts = { ...options, keyDigest: digest };
  const text = starterManifest(facts);
  const problems = starterProblems(text);
  if (problems.length > 0) throw new DocumentError("the Manifest that these options make", problems);
  await writeFiles(options.out, text, made);
  noteWritten(terminal, options, made);
  const next = digest === placeholderDigest ? "`blindbox keys new` makes the key that it asks for; then" : "next:";
  hint(terminal, `${next} \`blindbox build\``);
  return exitCodes.success;
}

/** `blindbox init`: a first Manifest. */
export function addInit(context: CommandContext): Command {
  return createCommand("init", context)
    .description("writes a commented blindbox.yml; nothing is overwritten")
    .requiredOption("--image <image>", "OCI layout or archive of the application")
    .requiredOption("--name <name>", "name of the box: lower-case letters, digits and dashes")
    .requiredOption("--port <port>", "where the application listens", portNumber)
    .option("--id <id>", "how the Manifest calls its first caller", "me")
    .option("--key-digest <digest>", "sha256:… of a caller's key, as `blindbox keys new` prints it")
    .addOption(
      new Option("--new-key <file>", "make the caller's key and write it into this new file").conflicts("keyDigest"),
    )
    .option("--out <file>", "the file to write", "blindbox.yml")
    .action(async (options: InitOptions) => context.finish(await init(options, context.terminal)));
}
