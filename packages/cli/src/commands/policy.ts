import type { PolicyChange } from "@blindbox/manifest";
import { type Command, Option } from "commander";
import { exitCodes, type ExitCode } from "../output/exit-codes.ts";
import { printable } from "../output/printable.ts";
import { hint, note, paint, writeLine, type OutputStream, type Style, type Terminal } from "../output/terminal.ts";
import { createCommand, type CommandContext } from "./command.ts";
import { compareInputs, differencesOf } from "./policy-comparison.ts";
import { readPolicy, readRequirementFile } from "./policy-input.ts";
import { type Explained, explainPolicy } from "./policy-sentences.ts";

const styles: Readonly<Record<Explained["strength"], Style>> = { strong: "good", weak: "careful", plain: "strong" };

function writeEntry(stream: OutputStream, { what, strength, notes }: Explained): void {
  writeLine(stream, `  ${paint(stream, styles[strength], printable(what))}`);
  for (const each of notes) writeLine(stream, `    ${printable(each)}`);
}

async function explain(path: string, { stdout }: Terminal): Promise<ExitCode> {
  const { manifest } = await readPolicy(path);
  writeLine(stdout, `${printable(manifest.name)}, as ${printable(path)} has it`);
  for (const { title, entries } of explainPolicy(manifest)) {
    writeLine(stdout, `\n${paint(stdout, "strong", title)}`);
    for (const entry of entries) writeEntry(stdout, entry);
  }
  return exitCodes.success;
}

const directions: readonly (readonly [direction: PolicyChange["direction"], title: string, style: Style])[] = [
  ["wider", "Wider: more is let in or out, kept or told", "careful"],
  ["narrower", "Narrower", "good"],
  ["changed", "Changed, and neither can be said", "strong"],
];

interface DiffOptions {
  readonly failOn?: "wider";
}

async function diff(before: string, after: string, { failOn }: DiffOptions, terminal: Terminal): Promise<ExitCode> {
  const { changes, isPartial } = await compareInputs(await readPolicy(before), await readPolicy(after));
  writeChanges(changes, terminal.stdout);
  if (isPartial) hint(terminal, "what only an image knows is compared where both are built boxes");
  const isWider = changes.some(({ direction }) => direction === "wider");
  return failOn === "wider" && isWider ? exitCodes.contraindicated : exitCodes.success;
}

function writeChanges(changes: readonly PolicyChange[], stdout: OutputStream): void {
  if (changes.length === 0) writeLine(stdout, "no difference in what is let in or out, kept or told");
  for (const [direction, title, style] of directions) {
    const found = changes.filter((change) => change.direction === direction);
    if (found.length === 0) continue;
    writeLine(stdout, paint(stdout, style, title));
    for (const { path, document, words } of found) {
      writeLine(stdout, `  ${printable(path)}${document === "before" ? " (before)" : ""}: ${printable(words)}`);
    }
  }
}

async function check(path: string, requirePath: string, terminal: Terminal): Promise<ExitCode> {
  const required = await readRequirementFile(requirePath);
  const differences = await differencesOf(await readPolicy(path), required);
  const { stdout } = terminal;
  for (const { path: at, reason, expected, actual } of differences) {
    writeLine(stdout, `${paint(stdout, "bad", printable(at))}: ${printable(reason)}`);
    writeLine(stdout, `  expected ${printable(expected)}`);
    writeLine(stdout, `  got      ${printable(actual)}`);
  }
  if (required.hasSandbox) note(terminal, "sandbox: not in a Manifest; a client compares it with what the box proves");
  if (differences.length > 0) return exitCodes.contraindicated;
  writeLine(stdout, `${printable(path)}: within ${printable(requirePath)}`);
  return exitCodes.success;
}

const manifestArgument = "a Manifest as it is written, a built box, or the manifest.json in it";

/** `blindbox policy`: what a Manifest allows, in words; what another allows more; whether it is within a requirement. */
export function addPolicy(context: CommandContext): Command {
  const { terminal, finish } = context;
  const explainCommand = createCommand("explain", context)
    .description("says in plain words who may call, what the app can reach, and how strong each rule is")
    .argument("[path]", manifestArgument, "blindbox.yml")
    .action(async (path: string) => finish(await explain(path, terminal)));
  const diffCommand = createCommand("diff", context)
    .description("says what became wider and what narrower from one Manifest to another")
    .argument("<before>", manifestArgument)
    .argument("<after>", "another")
    .addOption(new Option("--fail-on <direction>", "exit with 1 where something became wider").choices(["wider"]))
    .action(async (before: string, after: string, options: DiffOptions) =>
      finish(await diff(before, after, options, terminal)),
    );
  const checkCommand = createCommand("check", context)
    .description("says in what a Manifest goes beyond a requirement; exits with 1 where it does")
    .requiredOption("--require <file>", "the requirement, in YAML or JSON, as a client has it")
    .argument("[path]", manifestArgument, "blindbox.yml")
    .action(async (path: string, options: { readonly require: string }) =>
      finish(await check(path, options.require, terminal)),
    );
  return createCommand("policy", context)
    .description("explains and compares Manifests")
    .addCommand(explainCommand)
    .addCommand(diffCommand)
    .addCommand(checkCommand);
}
