import type { Command } from "commander";
import { exitCodes } from "../output/exit-codes.ts";
import { CliError } from "../output/failure.ts";
import { createCommand, type CommandContext } from "./command.ts";

function find(program: Command, names: readonly string[]): Command {
  return names.reduce((command, name) => {
    const next = command.commands.find((inner) => inner.name() === name);
    if (next !== undefined) return next;
    const hint = "`blindbox help` lists them";
    throw new CliError({ what: "help", expected: "the name of a command", actual: "something else", hint });
  }, program);
}

/** `blindbox help`: what `--help` says, for those who write it first. */
export function addHelp(context: CommandContext, program: Command): Command {
  return createCommand("help", context)
    .description("shows the help of a command")
    .argument("[command...]", "`keys new`, for instance")
    .action((names: readonly string[]) => {
      find(program, names).outputHelp();
      context.finish(exitCodes.success);
    });
}
