/** From what is to be run to a sandbox that is ready for it. */
import { mkdirSync } from "node:fs";
import type { DriverChoice, SandboxSpec } from "../parts.ts";
import type { LaunchPlan } from "./app/launch.ts";
import { chooseDriver } from "./drivers/choose.ts";
import type { DriverPlan } from "./drivers/driver.ts";
import { SandboxError } from "./errors.ts";
import type { ControlGroups } from "./limits/control-groups.ts";
import { resourceLimits } from "./limits/rlimits.ts";
import { openNetwork } from "./network/network.ts";
import { layOut } from "./rootfs/layout.ts";
import { standardMounts } from "./rootfs/mounts.ts";
import { type LimitedSandbox, NamespaceSandbox } from "./sandbox.ts";
import { appFilter } from "./seccomp/compile.ts";
import { findTools, type Tools } from "./tools.ts";

/**
 * Makes namespaces, network, gate and limits for the application; starts nothing of it (`start`), and proves nothing yet
 * (`selfTest`). Ingress only: no packet of the application leaves. When this process dies, so does everything in there.
 *
 * @throws SandboxError with the reason and the next step; nothing is left then.
 */
export async function createSandbox(spec: SandboxSpec, choice: DriverChoice): Promise<LimitedSandbox> {
  demandArchitecture();
  const plan = chooseDriver(spec, choice);
  const tools = findTools();
  mkdirSync(spec.scratch, { recursive: true, mode: 0o700 });
  const layout = layOut(spec.rootfs, standardMounts(spec));
  const controlGroups = plan.makeControlGroups();
  const open = () => openNetwork(networkPlan({ spec, plan, tools }));
  try {
    const launchPlan = fixedPlan({ spec, plan, tools, controlGroups });
    const network = await open();
    const parts = { spec, plan, controlGroups, network, openNetwork: open };
    return new NamespaceSandbox({ ...parts, launchPlan: ({ namespaces }) => ({ ...launchPlan, layout, namespaces }) });
  } catch (error) {
    await controlGroups.remove();
    throw error;
  }
}

interface Chosen {
  readonly spec: SandboxSpec;
  readonly plan: DriverPlan;
  readonly tools: Tools;
  readonly controlGroups: ControlGroups;
}

function networkPlan({ spec, plan, tools }: Omit<Chosen, "controlGroups">): Parameters<typeof openNetwork>[0] {
  const { scratch, port } = spec;
  return { scratch, port, ip: tools.ip, ids: plan.ids, root: plan.root };
}

function fixedPlan({ spec, plan, tools, controlGroups }: Chosen): Omit<LaunchPlan, "namespaces" | "layout"> {
  return {
    scratch: spec.scratch,
    bubblewrap: tools.bubblewrap,
    root: plan.root,
    rootfs: spec.rootfs,
    placeRootfs: plan.placeRootfs,
    workingDir: spec.workingDir,
    controlGroups: controlGroups.entrances,
    limits: resourceLimits(spec.resources, controlGroups.controllers),
    filter: appFilter(),
  };
}

// The filter and the programs are numbers and machine code of this architecture.
function demandArchitecture(): void {
  if (process.platform === "linux" && process.arch === "x64") return;
  const reason = `the sandbox is made for Linux on x86-64, this is ${process.platform} on ${process.arch}`;
  throw new SandboxError("architecture-unsupported", reason, "Run the box on an x86-64 machine.");
}
