import { exitCodes, type ExitCode } from "./output/exit-codes.ts";
import { reportFailure } from "./output/report.ts";
import type { OutputStream, Terminal } from "./output/terminal.ts";
import { createProgram, spellOut } from "./program.ts";

/** A reader that goes away (`blindbox … | head`) ends the command quietly. */
function endWithReader(stream: OutputStream): void {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(exitCodes.success);
  });
}

/**
 * Runs one command line, without the names of Node and of the script, and returns the exit code (DESIGN section 5).
 * Never throws: what goes wrong is said on `stderr`.
 */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  const terminal: Terminal = { stdout: process.stdout, stderr: process.stderr };
  endWithReader(terminal.stdout);
  endWithReader(terminal.stderr);
  let exitCode: ExitCode = exitCodes.success;
  const finish = (code: ExitCode): void => {
    exitCode = code;
  };
  try {
    await createProgram({ terminal, finish }).parseAsync(spellOut(argv), { from: "user" });
    return exitCode;
  } catch (error) {
    return reportFailure(terminal, error);
  }
}
