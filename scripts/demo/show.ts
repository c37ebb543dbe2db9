/** How the demonstration speaks: numbered steps, what each proves, findings as a list. Colour only on a terminal. */
import type { AttestationResult, Finding } from "@blindbox/client";

const colour = process.stdout.isTTY && process.env.NO_COLOR === undefined;
const paint = (code: string, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);

const marks: Readonly<Record<Finding["status"], string>> = {
  passed: paint("32", "✓"),
  warning: paint("33", "!"),
  failed: paint("31", "✗"),
  skipped: paint("33", "–"),
};

/** A printer that numbers its steps. */
export interface Stage {
  step(title: string, proves: string): void;
  command(text: string): void;
  line(text: string): void;
  findings(result: AttestationResult): void;
}

interface Line {
  readonly finding: Finding;
  readonly count: number;
}

/** One line for each sentence: a chain has three certificates, and each is checked in the same ways. */
function distinct(findings: readonly Finding[]): Line[] {
  const lines = new Map<string, Line>();
  for (const finding of findings) {
    const key = `${finding.step} ${finding.status} ${finding.reason}`;
    lines.set(key, { finding, count: (lines.get(key)?.count ?? 0) + 1 });
  }
  return [...lines.values()];
}

/** Opens the stage on standard output. */
export function openStage(): Stage {
  let number = 0;
  const line = (text: string): void => console.log(text === "" ? "" : `  ${text}`);
  return {
    line,
    step(title, proves) {
      number += 1;
      console.log(`\n${paint("1", `${number}. ${title}`)}`);
      line(paint("2", `proves: ${proves}`));
    },
    command: (text) => line(`${paint("36", "$")} ${text}`),
    findings(result) {
      for (const { finding, count } of distinct(result.findings)) {
        const times = count > 1 ? paint("2", ` (${count} times)`) : "";
        line(`${marks[finding.status]} ${finding.step.padEnd(12)} ${finding.reason}${times}`);
      }
      line(`status: ${paint(result.status === "contraindicated" ? "31" : "33", result.status)}`);
    },
  };
}
