import { AttestationError } from "@blindbox/attestation";
import { BuildError } from "@blindbox/builder";
import { CommanderError } from "commander";
import { fileReason } from "../files.ts";
import { endBy, Interrupted, OutputLost } from "../interrupt.ts";
import { exitCodes, type ExitCode } from "./exit-codes.ts";
import { CliError, DocumentError } from "./failure.ts";
import { printable } from "./printable.ts";
import { hint, paint, writeLine, type Terminal } from "./terminal.ts";

/** Whatever else goes wrong: a key that found its way into a message does not reach a terminal or a CI log. */
function redacted(text: string): string {
  return text.replace(/bb_[A-Za-z0-9_-]{8,}/g, "bb_(not shown)");
}

function errorLine(terminal: Terminal, message: string): void {
  writeLine(terminal.stderr, `${paint(terminal.stderr, "bad", "error:")} ${redacted(printable(message))}`);
}

function reportDocument(terminal: Terminal, error: DocumentError): ExitCode {
  errorLine(terminal, error.message);
  for (const problem of error.problems) {
    const facts = `${problem.path}: expected ${problem.expected}, got ${problem.actual}`;
    writeLine(terminal.stderr, `  ${redacted(printable(facts))}`);
    if (problem.hint !== undefined) writeLine(terminal.stderr, `    hint: ${printable(problem.hint)}`);
  }
  return exitCodes.usage;
}

/** Commander's own words, cut to one line without any value that was typed, then its suggestion or the way to help. */
function reportUsage(terminal: Terminal, error: CommanderError): ExitCode {
  if (error.exitCode === 0) return exitCodes.success;
  if (error.code === "commander.help") return exitCodes.usage;
  const [first = "", suggestion] = error.message.split("\n");
  errorLine(terminal, first.replace(/^error: /, "").replace(/'(--[^=']+)=[^']*'/, "'$1'"));
  const better = suggestion === undefined ? undefined : /\(Did you mean (.*)\?\)/.exec(suggestion)?.[1];
  hint(terminal, better === undefined ? "`--help` lists what there is" : `did you mean ${printable(better)}?`);
  return exitCodes.usage;
}

/** A box that was refused; the message already says what was expected and what was found. */
function reportRefusal(terminal: Terminal, error: AttestationError): ExitCode {
  const refused = error.result.status === "contraindicated";
  errorLine(terminal, `the box was ${refused ? "refused" : "not accepted"} (${error.code}): ${error.message}`);
  hint(terminal, printable(error.hint ?? "`blindbox verify` shows every comparison"));
  return refused ? exitCodes.contraindicated : exitCodes.warning;
}

function reportBuild(terminal: Terminal, error: BuildError): ExitCode {
  errorLine(terminal, `${error.field}: expected ${error.expected}, got ${error.actual}`);
  hint(terminal, printable(error.hint ?? "nothing was written; put that right and try again"));
  return exitCodes.usage;
}

function reportInterruption(terminal: Terminal, error: Interrupted): ExitCode {
  writeLine(terminal.stderr, error.message);
  endBy(error.signal);
  return exitCodes.usage;
}

function reportCliError(terminal: Terminal, error: CliError): ExitCode {
  errorLine(terminal, error.message);
  hint(terminal, printable(error.hint));
  return error.exitCode;
}

/** What the file system refused at a place that no command knows a better name for. */
function reportFileFault(terminal: Terminal, error: unknown, actual: string): ExitCode {
  const path = error instanceof Error && "path" in error && typeof error.path === "string" ? error.path : undefined;
  const what = path ?? "the file system";
  const next = "put that right and try again";
  return reportCliError(terminal, new CliError({ what, expected: "a file that can be used", actual, hint: next }));
}

function reportFault(terminal: Terminal, error: unknown): ExitCode {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  for (const line of text.split("\n")) writeLine(terminal.stderr, redacted(printable(line)));
  errorLine(terminal, "this is a fault of BlindBox, not of yours");
  hint(terminal, "report it with the lines above, the output of `blindbox --version`, and what you ran");
  return exitCodes.fault;
}

/** Tells the person at the keyboard what went wrong and returns the exit code that says the same. */
export function reportFailure(terminal: Terminal, error: unknown): ExitCode {
  if (error instanceof CommanderError) return reportUsage(terminal, error);
  if (error instanceof DocumentError) return reportDocument(terminal, error);
  if (error instanceof AttestationError) return reportRefusal(terminal, error);
  if (error instanceof BuildError) return reportBuild(terminal, error);
  if (error instanceof Interrupted) return reportInterruption(terminal, error);
  if (error instanceof OutputLost && error.readerGone) return error.exitCode;
  if (error instanceof CliError) return reportCliError(terminal, error);
  const reason = fileReason(error);
  return reason === undefined ? reportFault(terminal, error) : reportFileFault(terminal, error, reason);
}
