/** What `verify` concluded, and how it is written: for people, or as JSON. */
import type { AttestationError, AttestationResult, VerificationInput } from "@blindbox/attestation";
import type { VerifyOptions } from "@blindbox/client";
import type { SelfTestOutcome } from "../exchange/self-test.ts";
import { exitCodes, type ExitCode } from "../output/exit-codes.ts";
import { explained, writeExplanation } from "../output/explanation.ts";
import { writeFindings } from "../output/findings.ts";
import { printable, printableJson } from "../output/printable.ts";
import { paint, writeLine, type OutputStream, type Style } from "../output/terminal.ts";

/** Where a kept exchange came from, and what it was judged by. */
export interface Kept {
  readonly file: string;
  /** Where the box was, and when the exchange took place: the words of whoever saved it. */
  readonly url: string;
  readonly savedAt: string;
  /** The time at which it was judged, and whose choice that was. */
  readonly judgedAt: string;
  readonly clock: "this machine's clock" | "--at" | "the bundle's word (--at saved)";
  /** Who said which release and Manifest are accepted. */
  readonly requirements: "flags" | "bundle";
}

/** A result, why the flags do not accept it (null where they do), and what it was made of. */
export interface Verdict {
  readonly url: string;
  readonly result: AttestationResult;
  readonly refusal: AttestationError | null;
  /** Null where there was no answer to judge. */
  readonly exchange: VerificationInput | null;
  /** Null where the flags admit no box at all. */
  readonly options: VerifyOptions | null;
  /** Null for a live exchange. */
  readonly kept: Kept | null;
}

/** The exit code that says the same as the verdict. */
export function exitCodeOf({ result, refusal }: Verdict): ExitCode {
  if (refusal === null) return exitCodes.success;
  return result.status === "contraindicated" ? exitCodes.contraindicated : exitCodes.warning;
}

/** What to write beside the verdict itself. */
export interface VerdictExtras {
  readonly explain: boolean;
  /** Null where no self-test was asked for, or none could be made. */
  readonly selfTest: readonly SelfTestOutcome[] | null;
}

/** The verdict as one JSON value. */
export function writeVerdictJson(stream: OutputStream, verdict: Verdict, { explain, selfTest }: VerdictExtras): void {
  const { url, result, refusal, kept } = verdict;
  const findings = explain ? explained(result) : result.findings;
  const head = { url, accepted: refusal === null, error: refusal?.code ?? null, bundle: kept, selfTest };
  writeLine(stream, printableJson({ ...head, ...result, findings }));
}

/** The verdict for people: every comparison, then one line. */
export function writeVerdict(stream: OutputStream, verdict: Verdict, explain: boolean): void {
  if (verdict.kept !== null) writeKept(stream, verdict.kept);
  if (explain) writeExplanation(stream, verdict.result);
  else writeFindings(stream, verdict.result);
  const [style, text] = verdictText(verdict);
  const name = verdict.kept === null ? verdict.url : `${verdict.kept.file}, of ${verdict.url}`;
  writeLine(stream, `\n${printable(name)}: ${paint(stream, style, text)}`);
}

function writeKept(stream: OutputStream, { url, savedAt, judgedAt, clock, requirements }: Kept): void {
  const words = {
    flags: "the release and the Manifest that your flags name",
    bundle: paint(stream, "careful", "what the bundle itself says is right (--trust-bundle)"),
  };
  const rows: readonly (readonly [string, string])[] = [
    ["box", `${printable(url)}, by the word of whoever saved it; so are nonce, exporter and TLS key`],
    ["saved at", `${savedAt}, by the same word`],
    ["judged at", `${judgedAt}, by ${paint(stream, clock === "this machine's clock" ? "good" : "careful", clock)}`],
    ["against", words[requirements]],
  ];
  writeLine(stream, paint(stream, "strong", "a kept exchange"));
  for (const [name, text] of rows) writeLine(stream, `  ${name.padEnd(14)} ${text}`);
}

function verdictText(verdict: Verdict): readonly [Style, string] {
  const { result, refusal, kept } = verdict;
  if (refusal === null && kept?.requirements === "bundle") {
    return ["careful", "agrees with itself: what it was compared with is the bundle's own word, not yours"];
  }
  if (refusal === null) return acceptedText(result);
  if (result.status === "contraindicated") return ["bad", `refused (${refusal.code})`];
  return ["bad", `not accepted (${refusal.code}): a warning that no flag accepts`];
}

function acceptedText({ status, findings }: AttestationResult): readonly [Style, string] {
  if (status === "affirming") return ["good", "verified"];
  if (findings.some(({ check }) => check === "simulated-tee")) {
    return ["careful", "accepted with the warnings above: not a protection to rely on"];
  }
  const warnings = findings.filter((finding) => finding.status === "warning").length;
  return [
    "careful",
    `accepted with ${warnings === 1 ? "1 warning" : `${warnings} warnings`}, as your flags and policy say`,
  ];
}
