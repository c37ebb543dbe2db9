/** The application, from its start to its end. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AppExit, AppProcess, AppUser, SandboxSpec } from "../../parts.ts";
import { becomeApp } from "./entry.ts";
import { endInside, type Inside, type LaunchPlan, launch, signalIfAlive } from "./launch.ts";
import { makeOutputPipes } from "./pipes.ts";

/** As `AppProcess`, and can be ended at once. */
export interface RunningApp extends AppProcess {
  kill(): void;
}

/** `owner` is the application's id on the host. */
export async function startApp(plan: LaunchPlan, spec: SandboxSpec, owner: AppUser): Promise<RunningApp> {
  const pipes = await makeOutputPipes(plan.scratch, owner);
  try {
    const inside = await launch(plan, () => becomeApp(spec), pipes.writers);
    pipes.closeWriters();
    return runningApp(inside, pipes);
  } catch (error) {
    pipes.close();
    throw error;
  }
}

function runningApp(inside: Inside, { stdout, stderr }: Pick<AppProcess, "stdout" | "stderr">): RunningApp {
  const exited = ending(inside);
  const kill = () => endInside(inside);
  const stop = async (graceMs: number): Promise<void> => {
    if (graceMs > 0) askToEnd(inside);
    const deadline = setTimeout(kill, Math.max(0, graceMs));
    await exited;
    clearTimeout(deadline);
  };
  return { stdout, stderr, exited, stop, kill };
}

function askToEnd({ child, reaper }: Inside): void {
  const app = child.exitCode === null && child.signalCode === null ? appBelow(reaper) : undefined;
  if (app !== undefined) signalIfAlive(app, "SIGTERM");
}

async function ending(inside: Inside): Promise<AppExit> {
  const { child } = inside;
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  endInside(inside);
  return { code: child.exitCode, signal: child.signalCode };
}

// The reaper has the application for its first child, and whatever that left behind for later ones.
function appBelow(reaper: number): number | undefined {
  try {
    const children = readFileSync(`/proc/${reaper}/task/${reaper}/children`, "latin1");
    return children === "" ? undefined : Number(children.split(" ", 1)[0]);
  } catch {
    return undefined;
  }
}
