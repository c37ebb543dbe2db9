import { Command, type Option } from "commander";
import type { ExitCode } from "../output/exit-codes.ts";
import { CliError } from "../output/failure.ts";
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

/** For a flag that may be given more than once. */
export const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** Demands of every flag that takes one value that it is given once: of two values one would be lost without a word. */
export function takeValuesOnce(command: Command): void {
  for (const option of command.options) {
    if ((option.required || option.optional) && option.parseArg !== collect) takeOnce(option);
  }
  for (const inner of command.commands) takeValuesOnce(inner);
}

function takeOnce(option: Option): void {
  const read = option.parseArg;
  let isGiven = false;
  option.argParser((value: string, before: unknown) => {
    if (isGiven) throw givenAgain(option);
    isGiven = true;
    return read === undefined ? value : read.call(option, value, before);
  });
}

function givenAgain({ long, short, flags }: Option): CliError {
  const hint = "one of the values would be lost: name one";
  return new CliError({ what: long ?? short ?? flags, expected: "one value", actual: "several", hint });
}
