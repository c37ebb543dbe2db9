import { runBox, RunError, type BoxEvent, type BoxExit, type RunningBox, type RunOptions } from "@blindbox/builder";
import { InvalidArgumentError, Option, type Command } from "commander";
import { interruptible } from "../interrupt.ts";
import { exitCodes, type ExitCode } from "../output/exit-codes.ts";
import { CliError } from "../output/failure.ts";
import { printable } from "../output/printable.ts";
import { hint, note, writeLine, type Terminal } from "../output/terminal.ts";
import { assetPath, stateDirectory } from "../places.ts";
import { createCommand, type CommandContext } from "./command.ts";

interface RunFlags {
  readonly listen: string;
  readonly driver: RunOptions["driver"];
}

function listenAddress(text: string): string {
  const port = /^(?:\[[0-9a-fA-F:.]+\]|[\w.-]+):(\d{1,5})$/.exec(text)?.[1];
  if (port !== undefined && Number(port) <= 65_535) return text;
  throw new InvalidArgumentError("expected HOST:PORT, 127.0.0.1:8443 for instance");
}

/** Events that the command tells in its own way: by its result, by an error, or when all is gone. */
const saidOtherwise: readonly string[] = ["ready", "listening", "refused", "stopped"];

/** One event of box or device as a line. */
function showEvent(terminal: Terminal, { event, ...facts }: BoxEvent): void {
  if (saidOtherwise.includes(event)) return;
  const shown = Object.entries(facts).map(([name, value]) => `${printable(name)}=${printable(String(value))}`);
  note(terminal, [printable(event), ...shown].join(" "));
}

function writeReady(terminal: Terminal, directory: string, box: RunningBox): void {
  writeLine(terminal.stdout, `url   ${printable(box.url)}`);
  writeLine(terminal.stdout, `root  ${printable(box.rootPem)}`);
  note(terminal, "this is the simulated TEE: everything works as in a real one, and nothing is protected");
  hint(terminal, `\`blindbox verify ${printable(box.url)} --box ${printable(directory)} --simulated\` checks it`);
  hint(terminal, "Ctrl-C stops it");
}

/** Why it did not start. A process that merely died is a fault of ours, and what it wrote last is shown. */
function startFailure(terminal: Terminal, directory: string, error: RunError): CliError {
  const died = error.code === "box-failed" || error.code === "device-failed";
  if (died) for (const line of error.detail.trimEnd().split("\n")) note(terminal, printable(line));
  return new CliError({
    what: directory,
    expected: "a box that starts",
    actual: error.refusal === null ? error.message : `${error.message} (${error.refusal})`,
    hint: error.hint,
    exitCode: died ? exitCodes.fault : exitCodes.usage,
  });
}

async function start(directory: string, options: RunOptions, terminal: Terminal): Promise<RunningBox> {
  try {
    return await runBox(options);
  } catch (error) {
    if (error instanceof RunError) throw startFailure(terminal, directory, error);
    throw error;
  }
}

function checkEnd({ cause, code, signal }: BoxExit, directory: string): void {
  if (cause === "stopped") return;
  throw new CliError({
    what: directory,
    expected: "a box that runs until it is stopped",
    actual: `${cause} (${signal ?? `exit code ${code}`})`,
    hint: "the lines above say what it did last; start it again with `blindbox run`",
    exitCode: exitCodes.fault,
  });
}

async function run(directory: string, flags: RunFlags, terminal: Terminal): Promise<ExitCode> {
  const options = { ...flags, boxDir: directory, stateDir: stateDirectory(), deviceMain: assetPath("device/main.mjs") };
  const onEvent = (event: BoxEvent): void => showEvent(terminal, event);
  note(terminal, `starting ${printable(directory)}`);
  await interruptible(async (signal) => {
    const box = await start(directory, { ...options, onEvent, signal }, terminal);
    writeReady(terminal, directory, box);
    checkEnd(await box.exited, directory);
  });
  note(terminal, "stopped");
  return exitCodes.success;
}

/** `blindbox run`: a built box on this machine, in the simulated TEE. */
export function addRun(context: CommandContext): Command {
  const drivers = ["auto", "rooted", "unprivileged"];
  return createCommand("run", context)
    .description("runs a box on this Linux machine in the simulated TEE, until it is stopped")
    .argument("<box>", "what `blindbox build` wrote")
    .addOption(
      new Option("--listen <host:port>", "where the box listens; port 0 takes a free one")
        .argParser(listenAddress)
        .default("127.0.0.1:8443"),
    )
    .addOption(new Option("--driver <driver>", "how the sandbox is made").choices(drivers).default("auto"))
    .action(async (box: string, flags: RunFlags) => context.finish(await run(box, flags, context.terminal)));
}
