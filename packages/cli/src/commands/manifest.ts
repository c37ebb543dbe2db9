import { join } from "node:path";
import { manifestDigest } from "@blindbox/manifest";
import type { Command } from "commander";
import { isDirectory } from "../files.ts";
import { readManifestSource, readResolvedManifest } from "../manifest-file.ts";
import { exitCodes, type ExitCode } from "../output/exit-codes.ts";
import { printable } from "../output/printable.ts";
import { writeLine, type Terminal } from "../output/terminal.ts";
import { createCommand, type CommandContext } from "./command.ts";

async function check(file: string, { stdout }: Terminal): Promise<ExitCode> {
  await readManifestSource(file);
  writeLine(stdout, `${printable(file)}: no problem found`);
  return exitCodes.success;
}

async function showDigest(path: string, { stdout }: Terminal): Promise<ExitCode> {
  const file = isDirectory(path) ? join(path, "manifest.json") : path;
  writeLine(stdout, await manifestDigest(await readResolvedManifest(file)));
  return exitCodes.success;
}

/** `blindbox manifest`: what a Manifest says, without a box. */
export function addManifest(context: CommandContext): Command {
  const { terminal, finish } = context;
  const checkCommand = createCommand("check", context)
    .description("reads a Manifest as it is written and tells every problem")
    .argument("[file]", "the Manifest", "blindbox.yml")
    .action(async (file: string) => finish(await check(file, terminal)));
  const digestCommand = createCommand("digest", context)
    .description("writes the digest that a client requires")
    .argument("<path>", "a built box, or the manifest.json in it")
    .action(async (path: string) => finish(await showDigest(path, terminal)));
  const command = createCommand("manifest", context).description("reads Manifests");
  return command.addCommand(checkCommand).addCommand(digestCommand);
}
