/** Every comparison of a result in full: what was compared, why it matters, where it is specified, what to do next. */
import type { AttestationResult, Finding, Step } from "@blindbox/attestation";
import { explanationOf, pageOf } from "../explanations/explanation.ts";
import { wrapped } from "./paragraph.ts";
import { printable } from "./printable.ts";
import { paint, writeLine, type OutputStream } from "./terminal.ts";

/** What each step asks, in one sentence. */
const questions: Readonly<Record<Step, string>> = {
  parse: "Is every part exactly of the form that it must have? What can be read in two ways is not read at all.",
  authenticate:
    "Did genuine hardware sign this, under a root that is pinned here, with nothing revoked or out of date?",
  platform: "Is the machine one to trust: its firmware recent enough, debugging and migration off?",
  measurement: "Does the hardware say that exactly the published code runs, register by register of one release?",
  binding: "Is what the box says of itself the very text whose hash the hardware signed?",
  freshness: "Was it made now, for this asker and this connection, and is the box's clock right?",
  channel: "Does the connection end at the key that the hardware vouches for?",
  manifest: "Is the security policy in force the one that was shown, and one that was accepted?",
  sandbox: "What holds the application, and did every way out that was tried from inside stay shut?",
  release: "Who says that this code is the published code?",
};

/** One Finding with all that there is to say of it. */
export interface ExplainedFinding extends Finding {
  readonly means: string | null;
  readonly specification: string | null;
  readonly page: string;
}

/** The findings of a result, each with its explanation. */
export function explained({ findings, tee }: AttestationResult): readonly ExplainedFinding[] {
  return findings.map((finding) => {
    const [means, specification] = explanationOf(finding.check, tee) ?? [null, null];
    return { ...finding, means, specification, page: pageOf(finding.step) };
  });
}

/** Writes them, step by step. */
export function writeExplanation(stream: OutputStream, result: AttestationResult): void {
  const findings = explained(result);
  for (const step of new Set(findings.map((finding) => finding.step))) {
    writeLine(stream, `\n${paint(stream, "strong", step)}  ${paint(stream, "quiet", questions[step])}`);
    for (const finding of findings) if (finding.step === step) writeFinding(stream, finding);
  }
}

const styles = { passed: "good", failed: "bad", skipped: "careful", warning: "careful" } as const;

function writeFinding(stream: OutputStream, finding: ExplainedFinding): void {
  const { status, check, subject, reason, expected, actual, code, means, specification, page, hint } = finding;
  const about = subject === undefined ? "" : ` (${printable(subject)})`;
  writeLine(stream, `  ${paint(stream, styles[status], status.padEnd(8))} ${paint(stream, "strong", check)}${about}`);
  writePart(stream, "expected", expected);
  writePart(stream, "got", actual);
  writePart(stream, "says", reason);
  if (means !== null) writePart(stream, "means", means);
  if (code !== undefined) writePart(stream, "code", code);
  writePart(stream, "see", specification === null ? page : `specified in ${specification}; ${page}`);
  if (hint !== undefined) writePart(stream, "next", hint);
}

function writePart(stream: OutputStream, name: string, text: string): void {
  const [first = "", ...others] = wrapped(printable(text));
  writeLine(stream, `           ${paint(stream, "quiet", name.padEnd(8))}  ${first}`);
  for (const line of others) writeLine(stream, `${" ".repeat(21)}${line}`);
}
