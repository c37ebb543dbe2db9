import { SecureSession } from "@blindbox/client";
import type { Command } from "commander";
import { callBox, readBoxUrl } from "../box-call.ts";
import {
  addCredentialFlags,
  type Asking,
  credentialFiles,
  type CredentialFlags,
  demandOneInput,
  readCredentials,
} from "../credentials.ts";
import { exitCodes, type ExitCode } from "../output/exit-codes.ts";
import { paint, writeLine, type OutputStream, type Terminal } from "../output/terminal.ts";
import { type Audit, readAudit } from "./audit-documents.ts";
import { accessTable, ledgerTable } from "./audit-tables.ts";
import { addBoxOptions, readBoxOptions, type BoxOptions } from "./box-options.ts";
import { createCommand, type CommandContext } from "./command.ts";

interface AuditFlags extends BoxOptions, CredentialFlags {
  readonly json?: boolean;
}

const auditor: Asking = {
  what: "who audits",
  hint: "a box shows its records to principals with `audit: true` only",
  anonymous: false,
};

async function audit(address: string, flags: AuditFlags, terminal: Terminal): Promise<ExitCode> {
  const url = readBoxUrl(address);
  demandOneInput(credentialFiles(flags));
  const credentials = await readCredentials(flags, auditor);
  const options = { ...(await readBoxOptions(flags)), credentials };
  const found = await callBox(url, async () => {
    const session = await SecureSession.connect(url.origin, { ...options, maxConnections: 1 });
    try {
      return await readAudit(url, session);
    } finally {
      await session.close();
    }
  });
  if (flags.json === true) writeJson(terminal.stdout, url, found);
  else writeAudit(terminal.stdout, url, found);
  return differencesOf(found).length === 0 ? exitCodes.success : exitCodes.contraindicated;
}

type Difference = Audit["ledgerDifferences"][number] | Audit["accessDifferences"][number];

function differencesOf({ ledgerDifferences, accessDifferences }: Audit): readonly Difference[] {
  return [...ledgerDifferences, ...accessDifferences];
}

function writeJson(stream: OutputStream, url: URL, found: Audit): void {
  const differences = differencesOf(found);
  const { status, ledger, accessLog } = found;
  const verdict = { url: url.origin, verified: differences.length === 0, status, differences };
  writeLine(stream, JSON.stringify({ ...verdict, ledger, accessLog }, null, 2));
}

function writeAudit(stream: OutputStream, url: URL, found: Audit): void {
  const { ledger, ledgerDifferences, accessLog, accessDifferences, status } = found;
  writePart(stream, "Egress ledger: what left the box, and what was refused", ledgerTable(ledger), ledgerDifferences);
  writePart(stream, "\nAccess log: requests under rules with `audit: true`", accessTable(accessLog), accessDifferences);
  writeLine(stream, `\n${url.origin}: ${verdictOf(stream, differencesOf(found).length === 0, status)}`);
}

function writePart(
  stream: OutputStream,
  title: string,
  lines: readonly string[],
  differences: readonly Difference[],
): void {
  writeLine(stream, paint(stream, "strong", title));
  for (const line of lines) writeLine(stream, line);
  for (const { code, expected, actual } of differences) {
    writeLine(stream, `${paint(stream, "bad", code)}: expected ${expected}, got ${actual}`);
  }
}

function verdictOf(stream: OutputStream, isWhole: boolean, status: Audit["status"]): string {
  if (!isWhole) return paint(stream, "bad", "refused: these records are not what the box wrote");
  if (status === "affirming")
    return paint(stream, "good", "verified: unbroken chains, and the ones that were attested");
  return paint(
    stream,
    "careful",
    "unbroken chains, and the ones that were attested: by Evidence accepted with warnings",
  );
}

/** `blindbox audit`: what left the box and who asked, and that nobody has changed the records of it. */
export function addAudit(context: CommandContext): Command {
  const command = createCommand("audit", context)
    .description("attests a box, reads its egress ledger and its access log, and checks that nobody has changed them")
    .argument("<url>", "https address of the box");
  return addBoxOptions(addCredentialFlags(command, "the auditor's"))
    .option("--json", "write both records and the verdict as JSON")
    .action(async (url: string, flags: AuditFlags) => context.finish(await audit(url, flags, context.terminal)));
}
