import {
  type AttestationResult,
  LEDGER_PATH,
  type LedgerDifference,
  type LedgerDocument,
  MAX_LEDGER_BYTES,
  parseLedger,
  verifyLedger,
} from "@blindbox/attestation";
import { SecureSession } from "@blindbox/client";
import { concatBytes, EncodingError } from "@blindbox/encoding";
import type { Command } from "commander";
import { callBox, readBoxUrl } from "../box-call.ts";
import { keyVariable, readCredentials } from "../credentials.ts";
import { exitCodes, type ExitCode } from "../output/exit-codes.ts";
import { CliError } from "../output/failure.ts";
import { paint, writeLine, type OutputStream, type Terminal } from "../output/terminal.ts";
import { addBoxOptions, readBoxOptions, type BoxOptions } from "./box-options.ts";
import { createCommand, type CommandContext } from "./command.ts";
import { ledgerTable } from "./ledger-table.ts";

interface AuditFlags extends BoxOptions {
  readonly keyFile?: string;
  readonly json?: boolean;
}

/** A ledger, and in what it differs from what the box's hardware stands behind. */
interface Audit {
  /** What the Evidence of the box was worth, beside the ledger. */
  readonly status: AttestationResult["status"];
  readonly ledger: LedgerDocument;
  readonly differences: readonly LedgerDifference[];
}

async function audit(address: string, flags: AuditFlags, terminal: Terminal): Promise<ExitCode> {
  const url = readBoxUrl(address);
  const found = await callBox(url, () => readLedger(url, flags));
  if (flags.json === true) writeJson(terminal.stdout, url, found);
  else writeAudit(terminal.stdout, url, found);
  return found.differences.length === 0 ? exitCodes.success : exitCodes.contraindicated;
}

async function readLedger(url: URL, flags: AuditFlags): Promise<Audit> {
  const credentials = await readAuditKey(flags);
  // One connection, so that the Statement is the one that was made on the way of the ledger.
  const session = await SecureSession.connect(url.origin, {
    ...(await readBoxOptions(flags)),
    credentials,
    maxConnections: 1,
  });
  try {
    const ledger = readDocument(url, await readAnswer(url, await session.get(LEDGER_PATH)));
    const { status, claims } = session.attestation;
    return { status, ledger, differences: await verifyLedger(ledger, claims.ledger) };
  } finally {
    await session.close();
  }
}

async function readAuditKey({ keyFile }: AuditFlags): ReturnType<typeof readCredentials> {
  if (keyFile !== undefined) return readCredentials({ keyFile });
  if (process.env[keyVariable] !== undefined) return readCredentials({});
  throw new CliError({
    what: "who audits",
    expected: `--key-file FILE, or ${keyVariable} in the environment`,
    actual: "neither",
    hint: "a box shows its ledger to principals with `audit: true` only",
  });
}

const hints: Readonly<Record<number, string>> = {
  401: "the Manifest names no principal with this key",
  403: "write `audit: true` at this key's principal in the Manifest, and build the box anew",
};

async function readAnswer(url: URL, response: Response): Promise<Uint8Array> {
  if (response.status === 200) return readBody(url, response);
  await response.body?.cancel();
  const hint = hints[response.status] ?? "the box may be of another version, or stopping: try again";
  throw new CliError({ what: url.origin, expected: "its ledger", actual: `status ${response.status}`, hint });
}

async function readBody(url: URL, { body }: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > MAX_LEDGER_BYTES) throw noLedger(url, "a longer answer");
    chunks.push(chunk);
  }
  return concatBytes(...chunks);
}

function readDocument(url: URL, bytes: Uint8Array): LedgerDocument {
  try {
    return parseLedger(bytes);
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    throw noLedger(url, `${error.field}: ${error.actual}`);
  }
}

function noLedger(url: URL, actual: string): CliError {
  const hint = "do not rely on this box: an attested one writes its ledger in one form only";
  return new CliError({ what: url.origin, expected: "a ledger", actual, hint, exitCode: exitCodes.contraindicated });
}

function writeJson(stream: OutputStream, url: URL, { status, ledger, differences }: Audit): void {
  const verdict = { url: url.origin, verified: differences.length === 0, status, differences };
  writeLine(stream, JSON.stringify({ ...verdict, ledger }, null, 2));
}

function writeAudit(stream: OutputStream, url: URL, { status, ledger, differences }: Audit): void {
  for (const line of ledgerTable(ledger)) writeLine(stream, line);
  for (const { code, expected, actual } of differences) {
    writeLine(stream, `${paint(stream, "bad", code)}: expected ${expected}, got ${actual}`);
  }
  writeLine(stream, `\n${url.origin}: ${verdictOf(stream, differences.length === 0, status)}`);
}

function verdictOf(stream: OutputStream, isWhole: boolean, status: Audit["status"]): string {
  if (!isWhole) return paint(stream, "bad", "refused: these records are not what the box wrote");
  if (status === "affirming")
    return paint(stream, "good", "verified: an unbroken chain, and the one that was attested");
  return paint(
    stream,
    "careful",
    "an unbroken chain, and the one that was attested: by Evidence accepted with warnings",
  );
}

/** `blindbox audit`: what left the box, and that nobody has changed the record of it. */
export function addAudit(context: CommandContext): Command {
  const command = createCommand("audit", context)
    .description("attests a box, reads its egress ledger, and checks that nobody has changed it")
    .argument("<url>", "https address of the box")
    .option("--key-file <file>", `the auditor's API key, - for the standard input; else ${keyVariable} is read`);
  return addBoxOptions(command)
    .option("--json", "write ledger and verdict as JSON")
    .action(async (url: string, flags: AuditFlags) => context.finish(await audit(url, flags, context.terminal)));
}
