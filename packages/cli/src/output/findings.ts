import type { AttestationResult, Finding } from "@blindbox/attestation";
import { printable } from "./printable.ts";
import { paint, writeLine, type OutputStream, type Style } from "./terminal.ts";

const styleOf: Readonly<Record<Finding["status"], Style>> = {
  passed: "good",
  failed: "bad",
  skipped: "careful",
  warning: "careful",
};

const statusWidth = "skipped".length;

/** What the box says of itself, in the order in which it matters. */
const shownClaims = ["tee", "release", "manifest", "measurement", "sandboxDriver", "binding"] as const;

/** A result as a tree: what the box claims, then each step with its comparisons. */
export function writeFindings(stream: OutputStream, result: AttestationResult): void {
  writeClaims(stream, result);
  const steps = [...new Set(result.findings.map((finding) => finding.step))];
  for (const step of steps) {
    writeLine(stream, paint(stream, "strong", step));
    for (const finding of result.findings) if (finding.step === step) writeFinding(stream, finding);
  }
}

function writeClaims(stream: OutputStream, { claims }: AttestationResult): void {
  const known = shownClaims.filter((name) => claims[name] !== null);
  if (known.length === 0) return;
  writeLine(stream, paint(stream, "strong", "the box says"));
  for (const name of known) writeLine(stream, `  ${name.padEnd(14)} ${printable(String(claims[name]))}`);
}

function writeFinding(stream: OutputStream, finding: Finding): void {
  const { status, check, subject, reason, expected, actual, hint, excused } = finding;
  const label = paint(stream, styleOf[status], (excused === true ? "excused" : status).padEnd(statusWidth));
  const about = subject === undefined ? "" : ` (${printable(subject)})`;
  writeLine(stream, `  ${label}  ${check}${about}: ${printable(reason)}`);
  if (status === "passed") return;
  const indent = " ".repeat(statusWidth + 4);
  writeLine(stream, `${indent}expected ${printable(expected)}`);
  writeLine(stream, `${indent}got      ${printable(actual)}`);
  if (hint !== undefined) writeLine(stream, `${indent}hint: ${printable(hint)}`);
}
