import { interruptBy, OutputLost } from "./interrupt.ts";
import { exitCodes, type ExitCode } from "./output/exit-codes.ts";
import { reportFailure } from "./output/report.ts";
import type { Terminal } from "./output/terminal.ts";
import { createProgram, spellOut } from "./program.ts";

const streamNames = { stdout: "the standard output", stderr: "the standard error output" } as const;

/** Calls `lost` whenever something could not be written. */
function watchOutput(terminal: Terminal, lost: (reason: OutputLost) => void): void {
  for (const stream of ["stdout", "stderr"] as const) {
    terminal[stream].on("error", (error: NodeJS.ErrnoException) => lost(new OutputLost(streamNames[stream], error)));
  }
}

/** What a command came to, and what became of its output. */
interface Outcome {
  exitCode: ExitCode;
  /** The first failure of the output that was told; null where there was none. */
  lost: ExitCode | null;
}

/**
 * A reader that goes away says nothing against the result, which the command still works out; only what would run on for
 * that reader is ended. Output that is lost in another way ends the command, as soon as it has cleaned up.
 */
function createEnding(terminal: Terminal, outcome: Outcome): (reason: OutputLost) => void {
  return (reason) => {
    if (!reason.readerGone) outcome.lost ??= reportFailure(terminal, reason);
    const isCleaningUp = interruptBy(reason);
    if (outcome.lost !== null && !isCleaningUp) process.exit(outcome.lost);
  };
}

function failureCode(terminal: Terminal, error: unknown, lost: ExitCode | null): ExitCode {
  // Told already, when it happened.
  if (lost !== null && error instanceof OutputLost) return lost;
  return reportFailure(terminal, error);
}

/**
 * Runs one command line, without the names of Node and of the script, and returns the exit code (DESIGN section 5).
 * Never throws: what goes wrong is said on `stderr`.
 */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  const terminal: Terminal = { stdout: process.stdout, stderr: process.stderr };
  const outcome: Outcome = { exitCode: exitCodes.success, lost: null };
  watchOutput(terminal, createEnding(terminal, outcome));
  const finish = (code: ExitCode): void => {
    outcome.exitCode = code;
  };
  try {
    await createProgram({ terminal, finish }).parseAsync(spellOut(argv), { from: "user" });
  } catch (error) {
    outcome.exitCode = failureCode(terminal, error, outcome.lost);
  }
  return outcome.lost ?? outcome.exitCode;
}
