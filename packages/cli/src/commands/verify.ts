import { AttestationError, type AttestationResult } from "@blindbox/attestation";
import { refusalOf, verifyBox } from "@blindbox/client";
import type { Command } from "commander";
import { callBox, readBoxUrl } from "../box-call.ts";
import { exitCodes, type ExitCode } from "../output/exit-codes.ts";
import { writeFindings } from "../output/findings.ts";
import { paint, writeLine, type OutputStream, type Style, type Terminal } from "../output/terminal.ts";
import { addBoxOptions, readBoxOptions, type BoxOptions } from "./box-options.ts";
import { createCommand, type CommandContext } from "./command.ts";

interface VerifyFlags extends BoxOptions {
  readonly json?: boolean;
}

/** A result, and why the flags do not accept it; null where they do. */
interface Verdict {
  readonly result: AttestationResult;
  readonly refusal: AttestationError | null;
}

async function judge(url: URL, flags: VerifyFlags): Promise<Verdict> {
  try {
    const options = await readBoxOptions(flags);
    const result = await callBox(url, () => verifyBox(url.origin, options));
    return { result, refusal: refusalOf(result, options) };
  } catch (error) {
    if (error instanceof AttestationError) return { result: error.result, refusal: error };
    throw error;
  }
}

function exitCodeOf({ result, refusal }: Verdict): ExitCode {
  if (refusal === null) return exitCodes.success;
  return result.status === "contraindicated" ? exitCodes.contraindicated : exitCodes.warning;
}

function writeJson(stream: OutputStream, url: URL, { result, refusal }: Verdict): void {
  const verdict = { url: url.origin, accepted: refusal === null, error: refusal?.code ?? null };
  writeLine(stream, JSON.stringify({ ...verdict, ...result }, null, 2));
}

function verdictText({ result, refusal }: Verdict): readonly [Style, string] {
  if (refusal === null && result.status === "affirming") return ["good", "verified"];
  if (refusal === null) return ["careful", "accepted with the warnings above: not a protection to rely on"];
  if (result.status === "contraindicated") return ["bad", `refused (${refusal.code})`];
  return ["bad", `not accepted (${refusal.code}): a warning that no flag accepts`];
}

function writeVerdict(stream: OutputStream, url: URL, verdict: Verdict): void {
  writeFindings(stream, verdict.result);
  const [style, text] = verdictText(verdict);
  writeLine(stream, `\n${url.origin}: ${paint(stream, style, text)}`);
}

async function verify(address: string, flags: VerifyFlags, { stdout }: Terminal): Promise<ExitCode> {
  const url = readBoxUrl(address);
  const verdict = await judge(url, flags);
  if (flags.json === true) writeJson(stdout, url, verdict);
  else writeVerdict(stdout, url, verdict);
  return exitCodeOf(verdict);
}

/** `blindbox verify`: one attestation, shown comparison by comparison. */
export function addVerify(context: CommandContext): Command {
  const command = createCommand("verify", context)
    .description("attests a box and shows every comparison; sends nothing but the attestation request")
    .argument("<url>", "https address of the box");
  return addBoxOptions(command)
    .option("--json", "write the whole result as JSON")
    .action(async (url: string, flags: VerifyFlags) => context.finish(await verify(url, flags, context.terminal)));
}
