import { EncodingError } from "@blindbox/encoding";
import type { Command } from "commander";
import { describe, knownForms, knownStranger, type Description } from "../evidence/describe.ts";
import { writeInspection } from "../evidence/show.ts";
import { fetchEvidence, readEvidenceFile } from "../evidence/source.ts";
import { exitCodes, type ExitCode } from "../output/exit-codes.ts";
import { CliError } from "../output/failure.ts";
import { printable, printableJson } from "../output/printable.ts";
import { paint, writeLine, type Terminal } from "../output/terminal.ts";
import { createCommand, type CommandContext } from "./command.ts";

interface InspectFlags {
  readonly json?: boolean;
}

const hint = "`blindbox inspect --help` says what can be read";

/** Of another scheme too, which is then refused as a URL and not looked for as a file. */
function isUrl(source: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(source);
}

function read(source: string): Promise<Uint8Array> {
  return isUrl(source) ? fetchEvidence(source) : readEvidenceFile(source, hint);
}

function describeSource(source: string, bytes: Uint8Array): Description {
  try {
    const description = describe(bytes);
    if (description !== null) return description;
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    const { field, expected, actual } = error;
    const next = "it begins as this kind of Evidence does, and does not go on as it: it was cut short, or changed";
    throw new CliError({ what: `${source}: ${field}`, expected, actual, hint: next });
  }
  const actual = knownStranger(bytes) ?? `${bytes.length} bytes that begin as none does`;
  throw new CliError({
    what: source,
    expected: "Evidence of a known form",
    actual,
    hint: `tried were ${knownForms}`,
  });
}

function readAs(bytes: Uint8Array, { encoding }: Description): string {
  return encoding === "bytes" || encoding === "JSON" ? `${bytes.length} bytes` : `${bytes.length} bytes of ${encoding}`;
}

const unverified = "Nothing here was verified: inspect shows what it says, `blindbox verify` says whether it is true.";

async function inspect(source: string, flags: InspectFlags, { stdout }: Terminal): Promise<ExitCode> {
  const bytes = await read(source);
  const description = describeSource(source, bytes);
  if (flags.json === true) {
    const { encoding, inspection } = description;
    writeLine(stdout, printableJson({ source, verified: false, encoding, ...inspection }));
    return exitCodes.success;
  }
  const how = isUrl(source) ? ", fetched without any check of who answered" : "";
  writeLine(stdout, `${printable(source)}: ${readAs(bytes, description)}${how}`);
  writeLine(stdout, paint(stdout, "careful", unverified));
  writeInspection(stdout, description.inspection);
  // Whoever reads to the end of pages has the first lines out of sight.
  writeLine(stdout, `\n${paint(stdout, "careful", unverified)}`);
  return exitCodes.success;
}

const afterHelp = `
Reads an Evidence document or a bundle of BlindBox; the report of an SEV-SNP guest, the quote of a TD, the document of a
Nitro enclave, the HCL report of an Azure machine (alone, or in the JSON that tools write), a TPM quote, a simulated report,
certificates. Each raw, in hex, base64, base64url or PEM. A URL is asked for the last document that its box made.`;

/** `blindbox inspect`: what Evidence says, in words. Verifies nothing. */
export function addInspect(context: CommandContext): Command {
  return createCommand("inspect", context)
    .description("shows every field of Evidence in words, with what it means; verifies nothing")
    .argument("<file|url>", "a file with Evidence, or the https address of a box")
    .option("--json", "write every field as JSON")
    .addHelpText("after", afterHelp)
    .action(async (source: string, flags: InspectFlags) =>
      context.finish(await inspect(source, flags, context.terminal)),
    );
}
