import { type Exposure, EXPOSURE_TARGETS, exposureOf, type ExposureTarget } from "@blindbox/manifest";
import { type Command, Option } from "commander";
import { exitCodes, type ExitCode } from "../output/exit-codes.ts";
import { printable } from "../output/printable.ts";
import { paint, writeLine, type OutputStream, type Terminal } from "../output/terminal.ts";
import { createCommand, type CommandContext } from "./command.ts";
import { readPolicy } from "./policy-input.ts";

interface ExposureOptions {
  readonly target: ExposureTarget;
}

function writeExposure(stream: OutputStream, { who, sees }: Exposure): void {
  writeLine(stream, `\n${paint(stream, "strong", printable(who))}`);
  for (const { what, because } of sees) {
    const place = because === "always" ? "" : ` ${paint(stream, "quiet", `[${printable(because)}]`)}`;
    writeLine(stream, `  ${printable(what)}${place}`);
  }
}

async function show(path: string, { target }: ExposureOptions, { stdout }: Terminal): Promise<ExitCode> {
  const { manifest } = await readPolicy(path);
  writeLine(stdout, `What is seen of ${printable(manifest.name)} on ${target}, by whom, and because of which member`);
  for (const exposure of exposureOf(manifest, target)) writeExposure(stdout, exposure);
  writeLine(stdout, `\n${paint(stdout, "strong", "Not in this list")}`);
  writeLine(stdout, "  what the host can do: stop the box, delay its packets, set its clock");
  writeLine(stdout, "  what may be learned from caches, power and the timing of memory inside the hardware");
  return exitCodes.success;
}

/** `blindbox exposure`: what everybody but the application sees while a box runs. */
export function addExposure(context: CommandContext): Command {
  return createCommand("exposure", context)
    .description("says what host, cloud, vendor, network, allowed hosts and callers can see of a box")
    .argument("[path]", "a Manifest as it is written, a built box, or the manifest.json in it", "blindbox.yml")
    .addOption(
      new Option("--target <tee>", "the hardware that it runs on").choices(EXPOSURE_TARGETS).makeOptionMandatory(),
    )
    .action(async (path: string, options: ExposureOptions) =>
      context.finish(await show(path, options, context.terminal)),
    );
}
