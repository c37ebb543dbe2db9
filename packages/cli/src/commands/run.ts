import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { runBox, RunError, type BoxExit, type RunningBox, type RunOptions } from "@blindbox/builder";
import { parseManifest } from "@blindbox/manifest";
import { InvalidArgumentError, Option, type Command } from "commander";
import { interruptible } from "../interrupt.ts";
import { type AppFacts, createEventView } from "../output/box-events.ts";
import { exitCodes, type ExitCode } from "../output/exit-codes.ts";
import { CliError } from "../output/failure.ts";
import { printable } from "../output/printable.ts";
import { hint, note, writeLine, type Terminal } from "../output/terminal.ts";
import { assetPath, stateDirectory } from "../places.ts";
import { collect, createCommand, type CommandContext } from "./command.ts";

interface RunFlags {
  readonly listen: string;
  readonly driver: RunOptions["driver"];
  /** As they were given: each may name several. */
  readonly resolver?: readonly string[];
}

function listenAddress(text: string): string {
  const port = /^(?:\[[0-9a-fA-F:.]+\]|[\w.-]+):(\d{1,5})$/.exec(text)?.[1];
  if (port !== undefined && Number(port) <= 65_535) return text;
  throw new InvalidArgumentError("expected HOST:PORT, 127.0.0.1:8443 for instance");
}

/** As many as the box takes. */
const maxResolvers = 4;

function isResolver(text: string): boolean {
  const [, plain = "", bracketed = "", port = "53"] = /^(?:([\d.]+)|\[([\da-f:]+)\])(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const isAddress = isIP(plain) === 4 || isIP(bracketed) === 6;
  return isAddress && Number(port) >= 1 && Number(port) <= 65_535;
}

/** Undefined where none was given: the machine's own. */
function readResolvers(given: readonly string[] | undefined): readonly string[] | undefined {
  const servers = given?.flatMap((text) => text.split(","));
  if (servers === undefined || (servers.length <= maxResolvers && servers.every(isResolver))) return servers;
  throw new CliError({
    what: "--resolver",
    expected: `1 to ${maxResolvers} of ADDRESS or ADDRESS:PORT, with commas between them`,
    actual: servers.length > maxResolvers ? `${servers.length}` : "something else",
    hint: "`--resolver 192.0.2.53,[2001:db8::53]:5353`, for instance; a name will not do",
  });
}

/** For hints; null where the document is gone by now. `runBox` compared it with what the image holds. */
function appFacts(directory: string): AppFacts | null {
  try {
    const { app } = parseManifest(readFileSync(join(directory, "manifest.json"), "utf8"));
    return { port: app.port, readyPath: app.ready?.path ?? null };
  } catch {
    return null;
  }
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

const ended: Readonly<Record<BoxExit["cause"], string>> = {
  stopped: "it was stopped",
  "box-exited": "the process of the box ended",
  "device-exited": "the process of the simulated device ended",
};

function checkEnd({ cause, code, signal }: BoxExit, directory: string): void {
  if (cause === "stopped") return;
  throw new CliError({
    what: directory,
    expected: "a box that runs until it is stopped",
    actual: `${ended[cause]} (${signal ?? `exit code ${code}`})`,
    hint: "the lines above say what it did last; start it again with `blindbox run`",
    exitCode: exitCodes.fault,
  });
}

async function run(directory: string, flags: RunFlags, terminal: Terminal): Promise<ExitCode> {
  const { resolver, ...rest } = flags;
  const resolvers = readResolvers(resolver);
  const own = { boxDir: directory, stateDir: stateDirectory(), deviceMain: assetPath("device/main.mjs") };
  const options = { ...rest, ...own, ...(resolvers && { resolvers }) };
  const onEvent = createEventView(terminal, () => appFacts(directory));
  note(terminal, `starting ${printable(directory)}`);
  try {
    await interruptible(async (signal) => {
      const box = await runBox({ ...options, onEvent, signal });
      writeReady(terminal, directory, box);
      checkEnd(await box.exited, directory);
    });
  } catch (error) {
    throw error instanceof RunError ? startFailure(terminal, directory, error) : error;
  }
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
    .option(
      "--resolver <address[:port],…>",
      "who is asked for the addresses of allowed hosts; may be given more than once; left out: the machine's resolvers",
      collect,
    )
    .action(async (box: string, flags: RunFlags) => context.finish(await run(box, flags, context.terminal)));
}
