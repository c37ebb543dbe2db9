/** Starts something inside the sandbox: the application, or the self-test in its place. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { SandboxError } from "../errors.ts";
import type { Namespaces } from "../namespaces.ts";
import { assemble } from "../program/assemble.ts";
import { describeFailure, readFailure } from "../program/failure.ts";
import { collect, firstLine, REPORT, reportOf, spawnProgram } from "../program/run.ts";
import type { Step } from "../program/steps.ts";
import type { RootOptions } from "../programs.ts";
import type { Layout } from "../rootfs/layout.ts";
import { bubblewrapArguments } from "./bubblewrap.ts";
import { entrySteps, type Grants, INSIDE_FIRST_STEP } from "./entry.ts";
import { Handover } from "./handover.ts";
import { PRIVATE_SOURCE, wayIn } from "./way-in.ts";

/** All that is the same for whatever runs inside. */
export interface LaunchPlan extends Grants {
  readonly scratch: string;
  /** Path of bubblewrap. */
  readonly bubblewrap: string;
  readonly namespaces: Namespaces;
  readonly root: RootOptions;
  readonly rootfs: string;
  /** Whether the image's files are placed in a mount namespace of ours first; needs the host's root. */
  readonly placeRootfs: boolean;
  readonly layout: Layout;
  readonly workingDir: string;
  /** Files that take in who writes to them. */
  readonly controlGroups: readonly string[];
  readonly filter: Uint8Array;
}

/** What runs inside, as seen from outside. */
export interface Inside {
  /** bubblewrap; ends with what it holds, and with its status. */
  readonly child: ChildProcess;
  /** Process id, on the host, of the reaper, with which everything in there dies. */
  readonly reaper: number;
  /** When the reaper was started, in the kernel's ticks; `null` where it is gone already. */
  readonly reaperBorn: string | null;
}

/** Milliseconds until whatever has not started by then is killed; it takes 20 on an idle machine. */
const START_DEADLINE = 10_000;

/** Steps that end in execve; what they have to be handed they add to `handover`. */
export type Become = (handover: Handover) => readonly Step[];

/**
 * Makes the steps that everything inside begins with, then those of `become`, and resolves when another program was loaded
 * by them. `output` are two open descriptors; the caller closes its own copies.
 *
 * @throws SandboxError `app-start-failed`; nothing is left running then.
 */
export async function launch(plan: LaunchPlan, become: Become, output: readonly [number, number]): Promise<Inside> {
  const spawned = spawnInside(plan, become, output);
  const deadline = setTimeout(() => spawned.child.kill("SIGKILL"), START_DEADLINE);
  try {
    return await untilStarted(spawned);
  } catch (error) {
    spawned.child.kill("SIGKILL");
    throw error;
  } finally {
    clearTimeout(deadline);
  }
}

interface Spawned {
  readonly child: ChildProcess;
  /** Number of the descriptor on which bubblewrap says whom it started. */
  readonly info: number;
  /** On the way to bubblewrap, and behind it. */
  readonly outside: readonly Step[];
  readonly inside: readonly Step[];
}

function spawnInside(plan: LaunchPlan, become: Become, output: readonly [number, number]): Spawned {
  const handover = new Handover(plan.scratch);
  try {
    const info = handover.add("pipe");
    const [stdout, stderr] = [handover.add(output[0]), handover.add(output[1])];
    const inside = [...entrySteps({ stdout, stderr }, plan), ...become(handover)];
    const outside = wayInto(plan, handover, info, inside);
    const { descriptors } = handover;
    const child = spawnProgram(plan.scratch, outside, { stdio: ["ignore", "ignore", "pipe"], descriptors });
    return { child, info, outside, inside };
  } finally {
    handover.close();
  }
}

function wayInto(plan: LaunchPlan, handover: Handover, info: number, inside: readonly Step[]): Step[] {
  const { outerUser, appNetwork, innerUser } = plan.namespaces;
  const namespaces = {
    outerUser: handover.add(outerUser),
    appNetwork: handover.add(appNetwork),
    innerUser: handover.add(innerUser),
  };
  const program = assemble(inside, { reportTo: REPORT, resultsTo: null, firstStep: INSIDE_FIRST_STEP });
  const command = ["--", `/proc/self/fd/${handover.addFile(program, 0o755)}`];
  const options = bubblewrapArguments({
    ...plan,
    source: plan.placeRootfs ? PRIVATE_SOURCE : plan.rootfs,
    descriptors: {
      info,
      innerUser: namespaces.innerUser,
      filter: handover.addFile(plan.filter, 0o444),
      files: plan.layout.mounts.flatMap((mount) =>
        mount.kind === "file" ? [handover.addFile(mount.content, 0o444)] : [],
      ),
    },
  });
  const optionFile = handover.addFile(options.map((option) => `${option}\0`).join(""), 0o444);
  return wayIn({
    controlGroups: plan.controlGroups,
    mountRootfs: plan.placeRootfs ? plan.rootfs : null,
    root: plan.root,
    descriptors: namespaces,
    command: [plan.bubblewrap, "--args", `${optionFile}`, ...command],
  });
}

async function untilStarted(spawned: Spawned): Promise<Inside> {
  const { child } = spawned;
  const report = reportOf(child);
  const info = collect(child.stdio[spawned.info] as Readable);
  const complaint = collect(child.stderr);
  const ended = once(report, "close").then((): [Uint8Array] => [new Uint8Array()]);
  const [first] = await Promise.race([once(report, "data") as Promise<[Uint8Array]>, ended]);
  if (first.length !== 1) throw await notStarted(spawned, first, complaint);
  const rest = collect(report);
  report.write(".");
  const failure = await rest;
  if (failure.length > 0) throw await notStarted(spawned, failure, complaint);
  // Whatever writes there from now on is nothing that we would believe.
  child.stderr?.destroy();
  const reaper = readReaper(await info);
  return { child, reaper, reaperBorn: bornAt(reaper) };
}

async function notStarted(
  { outside, inside }: Spawned,
  report: Uint8Array,
  complaint: Promise<Uint8Array>,
): Promise<SandboxError> {
  const failure = readFailure(report);
  const hint = "Check the Manifest's command, user and paths against the image.";
  if (!failure)
    return new SandboxError("app-start-failed", firstLine(await complaint) || "it ended without a word", hint);
  const isInside = failure.step >= INSIDE_FIRST_STEP;
  const reason = describeFailure(failure, isInside ? inside : outside, isInside ? INSIDE_FIRST_STEP : 0);
  return new SandboxError("app-start-failed", reason, hint);
}

function readReaper(info: Uint8Array): number {
  const parsed: unknown = JSON.parse(Buffer.from(info).toString("latin1"));
  const pid = typeof parsed === "object" && parsed !== null && "child-pid" in parsed ? parsed["child-pid"] : null;
  if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 1)
    throw new TypeError("bubblewrap named no child");
  return pid;
}

/**
 * Kills everything inside at once; without effect where it is over. Asks the kernel, not bubblewrap: that bubblewrap ended
 * proves nothing of its reaper. A process id that came to belong to somebody else is left alone.
 */
export function endInside({ reaper, reaperBorn }: Inside): void {
  if (reaperBorn !== null && bornAt(reaper) === reaperBorn) signalIfAlive(reaper, "SIGKILL");
}

/** Field 22 of /proc/PID/stat (proc(5)); the name before it may hold anything, so it is counted from its end. */
function bornAt(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

/** A process that is gone needs no signal any more. */
export function signalIfAlive(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
