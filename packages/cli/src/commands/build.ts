import { dirname, isAbsolute, relative } from "node:path";
import { buildBox, type BuildOptions, type BuiltBox } from "@blindbox/builder";
import { Option, type Command } from "commander";
import { interruptible } from "../interrupt.ts";
import { imagePath, inDocument, readManifestSource } from "../manifest-file.ts";
import { exitCodes, type ExitCode } from "../output/exit-codes.ts";
import { printable } from "../output/printable.ts";
import { createProgress } from "../output/progress.ts";
import { hint, writeLine, type Terminal } from "../output/terminal.ts";
import { assetPath, nodeBinaryPath } from "../places.ts";
import { packageVersion } from "../version.ts";
import { createCommand, type CommandContext } from "./command.ts";

interface BuildFlags {
  readonly outDir: string;
  readonly tee: "simulated";
  readonly driver?: "rooted" | "unprivileged";
}

const stepNames = { "read-image": "reading the image", "write-image": "writing the box" };

/** As short as it was written, since errors name it. */
function sourcePath(file: string, image: string): string {
  const path = imagePath(file, image);
  return isAbsolute(image) || path === image ? path : relative("", path) || ".";
}

async function buildOptions(file: string, flags: BuildFlags): Promise<BuildOptions> {
  const { text, format, source } = await readManifestSource(file);
  return {
    source: sourcePath(file, source.app.image),
    manifestText: text,
    manifestFormat: format,
    bundleDir: dirname(assetPath(`enclave/${flags.tee}/main.mjs`)),
    nodeBinary: nodeBinaryPath(),
    tee: flags.tee,
    outDir: flags.outDir,
    ...(flags.driver === undefined ? {} : { driver: flags.driver }),
    version: packageVersion(),
  };
}

function writeBuilt(terminal: Terminal, { directory, imageDigest, manifestDigest }: BuiltBox): void {
  writeLine(terminal.stdout, `box       ${printable(directory)}`);
  writeLine(terminal.stdout, `image     ${imageDigest}`);
  writeLine(terminal.stdout, `manifest  ${manifestDigest}`);
  hint(terminal, `start it with \`blindbox run ${printable(directory)}\``);
}

async function build(file: string, flags: BuildFlags, terminal: Terminal): Promise<ExitCode> {
  const options = await buildOptions(file, flags);
  const progress = createProgress(terminal, stepNames);
  try {
    const onProgress = progress.show;
    const box = await interruptible((signal) =>
      inDocument(file, options.manifestText, () => buildBox({ ...options, onProgress, signal })),
    );
    progress.clear();
    writeBuilt(terminal, box);
    return exitCodes.success;
  } finally {
    progress.clear();
  }
}

/** `blindbox build`: from an image and a Manifest to a box. */
export function addBuild(context: CommandContext): Command {
  return createCommand("build", context)
    .description("builds <name>.blindbox from a Manifest and the image that it names; needs no Docker")
    .argument("[file]", "the Manifest", "blindbox.yml")
    .option("--out-dir <dir>", "where to put the box; an older box of that name is replaced", ".")
    .addOption(
      new Option("--tee <kind>", "the kind of TEE that the box is for").choices(["simulated"]).default("simulated"),
    )
    .addOption(
      new Option(
        "--driver <driver>",
        "refuses what a box with this sandbox driver could not run; left out: any",
      ).choices(["rooted", "unprivileged"]),
    )
    .action(async (file: string, flags: BuildFlags) => context.finish(await build(file, flags, context.terminal)));
}
