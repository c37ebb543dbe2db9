import { join } from "node:path";
import { type Manifest, parseManifest } from "@blindbox/manifest";
import type { ManifestSource } from "@blindbox/manifest/source";
import type { Command } from "commander";
import { isDirectory } from "../files.ts";
import { readManifestSource, readResolvedManifest } from "../manifest-file.ts";
import { exitCodes, type ExitCode } from "../output/exit-codes.ts";
import { printable } from "../output/printable.ts";
import { paint, writeLine, type OutputStream, type Style, type Terminal } from "../output/terminal.ts";
import { createCommand, type CommandContext } from "./command.ts";
import { type Explained, explainPolicy, type Policy } from "./policy-sentences.ts";

const styles: Readonly<Record<Explained["strength"], Style>> = { strong: "good", weak: "careful", plain: "strong" };

function resolvedPolicy({ name, access, egress, logs }: Manifest): Policy {
  return { name, ...access, egress, logs };
}

function writtenPolicy({ name, access, egress = [], logs = "none" }: ManifestSource): Policy {
  return { name, principals: access.principals ?? [], rules: access.rules, egress, logs };
}

/** The written form as `blindbox.yml` has it, or the resolved one: a built box, or the `manifest.json` in it. */
async function readPolicy(path: string): Promise<Policy> {
  const resolved = isDirectory(path) ? join(path, "manifest.json") : path;
  if (!resolved.endsWith("manifest.json")) return writtenPolicy((await readManifestSource(path)).source);
  return resolvedPolicy(parseManifest(await readResolvedManifest(resolved)));
}

function writeEntry(stream: OutputStream, { what, strength, notes }: Explained): void {
  writeLine(stream, `  ${paint(stream, styles[strength], printable(what))}`);
  for (const each of notes) writeLine(stream, `    ${printable(each)}`);
}

async function explain(path: string, { stdout }: Terminal): Promise<ExitCode> {
  const policy = await readPolicy(path);
  writeLine(stdout, `${printable(policy.name)}, as ${printable(path)} has it`);
  for (const { title, entries } of explainPolicy(policy)) {
    writeLine(stdout, `\n${paint(stdout, "strong", title)}`);
    for (const entry of entries) writeEntry(stdout, entry);
  }
  return exitCodes.success;
}

/** `blindbox policy`: what a Manifest allows, in words. */
export function addPolicy(context: CommandContext): Command {
  const explainCommand = createCommand("explain", context)
    .description("says in plain words who may call, what the app can reach, and how strong each rule is")
    .argument("[path]", "a Manifest as it is written, a built box, or the manifest.json in it", "blindbox.yml")
    .action(async (path: string) => context.finish(await explain(path, context.terminal)));
  return createCommand("policy", context).description("explains Manifests").addCommand(explainCommand);
}
