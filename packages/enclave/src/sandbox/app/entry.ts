/**
 * The last steps before the application's first instruction, made inside the finished sandbox. What they change holds for
 * the self-test and for the application alike; only then the two part.
 */
import { readFileSync } from "node:fs";
import type { SandboxSpec } from "../../parts.ts";
import { type Capability, CAPABILITY_HEADER, CLEAR_AMBIENT, PRCTL } from "../kernel/constants.ts";
import { capabilitySets, isAmong, secureBits } from "../kernel/capabilities.ts";
import { attempt, awaitByte, bytes, must, type Step, sendByte, text, vector } from "../program/steps.ts";
import { CLOSE_ON_EXEC, LAST_DESCRIPTOR, REPORT } from "../program/run.ts";
import { type ResourceLimit, setLimit } from "../limits/rlimits.ts";

/** Steps of this program are counted from here, so that its reports differ from those of the program around it. */
export const INSIDE_FIRST_STEP = 1000;

/** Where the output of what runs inside goes; until then 1 and 2 are bubblewrap's. */
export interface OutputDescriptors {
  readonly stdout: number;
  readonly stderr: number;
}

/** What the application is given, and what it is held to. */
export interface Grants {
  readonly capabilities: readonly Capability[];
  readonly limits: readonly ResourceLimit[];
}

/**
 * Takes its output, gives up every descriptor but 0 to 2 and every capability but those granted, sets the limits, says that it is ready, and
 * waits to be let go: if whoever started it is dead by then, it ends here.
 */
export function entrySteps(output: OutputDescriptors, { capabilities, limits }: Grants): Step[] {
  return [
    must("dup3", output.stdout, 1, 0),
    must("dup3", output.stderr, 2, 0),
    must("close_range", REPORT, LAST_DESCRIPTOR, CLOSE_ON_EXEC),
    ...giveUpCapabilities(capabilities),
    must("umask", 0o022),
    ...limits.map((limit) => setLimit(0, limit)),
    sendByte(REPORT),
    awaitByte(REPORT),
  ];
}

// bubblewrap leaves us CAP_SETPCAP in the inner user namespace, without which the bounding set cannot be emptied.
function giveUpCapabilities(kept: readonly Capability[]): Step[] {
  const last = Number(readFileSync("/proc/sys/kernel/cap_last_cap", "latin1"));
  const all = Array.from({ length: last + 1 }, (_, capability) => capability);
  const others = all.filter((capability) => !isAmong(kept, capability));
  return [
    ...others.map((capability) => must("prctl", PRCTL.dropFromBoundingSet, capability, 0, 0, 0)),
    must("prctl", PRCTL.secureBits, secureBits(kept), 0, 0, 0),
    must("prctl", PRCTL.ambientCapabilities, CLEAR_AMBIENT, 0, 0, 0),
    must("capset", bytes(CAPABILITY_HEADER), bytes(capabilitySets(kept))),
  ];
}

/** Becomes the application: its command is looked for as a shell would, its environment is the Manifest's and nothing more. */
export function becomeApp({ command, env }: Pick<SandboxSpec, "command" | "env">): Step[] {
  const argv = vector(command);
  const environment = vector(Object.entries(env).map(([name, value]) => `${name}=${value}`));
  const candidates = executables(command[0] ?? "", env.PATH);
  return candidates.map((path, index) => {
    const call = index === candidates.length - 1 ? must : attempt;
    return call("execve", text(path), argv, environment);
  });
}

/** As execvp(3) searches; where the image names no PATH, container engines use this one. */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function executables(name: string, path: string | undefined): string[] {
  if (name.includes("/")) return [name];
  return (path ?? DEFAULT_PATH).split(":").map((directory) => (directory === "" ? name : `${directory}/${name}`));
}
