import { Command } from "commander";
import type { ExitCode } from "../output/exit-codes.ts";
import type { Terminal } from "../output/terminal.ts";

/** What a command is given to work with. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Says with which code the program ends. */
  readonly finish: (code: ExitCode) => void;
}

/**
 * A command that throws a `CommanderError` where commander would end the process itself, and writes nothing about it:
 * `reportFailure` does.
 */
export function createCommand(name: string, { terminal }: CommandContext): Command {
  return new Command(name)
    .exitOverride()
    .helpCommand(false)
    .allowExcessArguments(false)
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
      outputError: () => undefined,
    });
}
