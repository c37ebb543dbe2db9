/** What each step of a verification is for, and where its specification is. */
import type { AttestationResult, Finding, Step } from "@blindbox/attestation";
import { printable } from "./printable.ts";
import { paint, writeLine, type OutputStream } from "./terminal.ts";

/** One step in words. */
interface Explanation {
  readonly asks: string;
  readonly specification: string;
}

const steps: Readonly<Record<Step, Explanation>> = {
  parse: {
    asks: "Is every part exactly of the form that it must have? What can be read in two ways is not read at all.",
    specification: "RFC 8785 (canonical JSON); the vendor's own layout for the Evidence",
  },
  authenticate: {
    asks: "Did genuine hardware sign this, under a root that is pinned here, with nothing revoked or out of date?",
    specification: "RFC 9334, section 8.3; AMD 57230 (VCEK), Intel DCAP, AWS NSM, TPM 2.0 Part 2; RFC 5280",
  },
  platform: {
    asks: "Is the machine one to trust: its firmware recent enough, debugging and migration off?",
    specification: "AMD 56860 (ATTESTATION_REPORT), Intel TDX module specification (TD attributes, TCB levels)",
  },
  measurement: {
    asks: "Does the hardware say that exactly the published code runs, register by register of one release?",
    specification: "RFC 9334, section 8.4 (Reference Values)",
  },
  binding: {
    asks: "Is what the box says of itself the very text whose hash the hardware signed?",
    specification: "docs: ARCHITECTURE.md, In which bytes (Statement, Binding)",
  },
  freshness: {
    asks: "Was it made now, for this asker and this connection, and is the box's clock right?",
    specification: "RFC 9334, section 10; RFC 9266 (tls-exporter)",
  },
  channel: {
    asks: "Does the connection end at the key that the hardware vouches for?",
    specification: "RFC 8446, section 4.4; docs: ARCHITECTURE.md (Statement)",
  },
  manifest: {
    asks: "Is the security policy in force the one that was shown, and one that was accepted?",
    specification: "docs/manifest.md",
  },
  sandbox: {
    asks: "What holds the application, and did every way out that was tried from inside stay shut?",
    specification: "SECURITY.md, The sandbox",
  },
  release: {
    asks: "Who says that this code is the published code?",
    specification: "docs/client.md",
  },
};

/** Every comparison of a result with what was compared, why it matters, and where that is specified. */
export function writeExplanation(stream: OutputStream, { findings }: AttestationResult): void {
  for (const step of new Set(findings.map((finding) => finding.step))) {
    const { asks, specification } = steps[step];
    writeLine(stream, `\n${paint(stream, "strong", step)}  ${asks}`);
    writeLine(stream, `  specified in ${specification}`);
    for (const finding of findings) if (finding.step === step) writeFinding(stream, finding);
  }
}

const styles = { passed: "good", failed: "bad", skipped: "careful", warning: "careful" } as const;

function writeFinding(stream: OutputStream, finding: Finding): void {
  const { status, check, subject, reason, expected, actual, code, hint } = finding;
  const about = subject === undefined ? "" : ` (${printable(subject)})`;
  writeLine(stream, `  ${paint(stream, styles[status], status.padEnd(8))} ${check}${about}`);
  writeLine(stream, `           expected  ${printable(expected)}`);
  writeLine(stream, `           got       ${printable(actual)}`);
  writeLine(stream, `           means     ${printable(reason)}`);
  if (code !== undefined) writeLine(stream, `           code      ${code}`);
  if (hint !== undefined) writeLine(stream, `           next      ${printable(hint)}`);
}
