import type { Command } from "commander";
import { addAudit } from "./commands/audit.ts";
import { addBuild } from "./commands/build.ts";
import { createCommand, takeValuesOnce, type CommandContext } from "./commands/command.ts";
import { addEndorsements } from "./commands/endorsements.ts";
import { addExposure } from "./commands/exposure.ts";
import { addHelp } from "./commands/help.ts";
import { addInit } from "./commands/init.ts";
import { addInspect } from "./commands/inspect.ts";
import { addKeys } from "./commands/keys.ts";
import { addManifest } from "./commands/manifest.ts";
import { addPolicy } from "./commands/policy.ts";
import { addRequest } from "./commands/request.ts";
import { addRun } from "./commands/run.ts";
import { addVerify } from "./commands/verify.ts";
import { packageVersion } from "./version.ts";

/** In the order in which a newcomer meets them. */
const commands = [
  addInit,
  addKeys,
  addBuild,
  addRun,
  addVerify,
  addInspect,
  addRequest,
  addAudit,
  addManifest,
  addPolicy,
  addExposure,
  addEndorsements,
];

const description =
  "Wraps an application's container image so that its users can check what runs before they send data.";

/** Printed as it stands: commander would break its lines. */
const afterHelp = `
A first box, from an image to a verified request:
  blindbox init --name hello --image hello.tar --port 80 --new-key key.txt
  blindbox build
  blindbox run hello.blindbox
and in another terminal:
  blindbox verify https://127.0.0.1:8443 --box hello.blindbox --simulated
  blindbox request GET https://127.0.0.1:8443/ --box hello.blindbox --simulated --key-file key.txt

Exit codes: 0 done or verified, 1 the box was refused, 2 wrong usage or input, 3 a warning that was not accepted,
            4 not reachable, 5 a fault of BlindBox, 6 the answer has a status of 400 or more (request --fail)`;

/** The whole command line of `blindbox`. */
export function createProgram(context: CommandContext): Command {
  const program = createCommand("blindbox", context)
    .description(description)
    .version(packageVersion())
    .addHelpText("after", afterHelp);
  for (const add of commands) program.addCommand(add(context));
  program.addCommand(addHelp(context, program));
  takeValuesOnce(program);
  return program;
}

/**
 * `--simulated` takes its value only behind `=`: without this, commander would take the next word, the box's URL, for
 * the root certificate.
 */
export function spellOut(argv: readonly string[]): string[] {
  const end = argv.indexOf("--");
  return argv.map((word, at) => (word === "--simulated" && (end === -1 || at < end) ? "--simulated=" : word));
}
