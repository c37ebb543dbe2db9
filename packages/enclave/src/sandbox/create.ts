/** From what is to be run to a sandbox that is ready for it. */
import type { DriverChoice, EgressReceiver, SandboxSpec } from "../parts.ts";
import type { LaunchPlan } from "./app/launch.ts";
import { demandArchitecture } from "./architecture.ts";
import { chooseDriver } from "./drivers/choose.ts";
import type { DriverPlan } from "./drivers/driver.ts";
import type { ControlGroups } from "./limits/control-groups.ts";
import { demandCount } from "./limits/demand.ts";
import { resourceLimits } from "./limits/rlimits.ts";
import { type NetworkPlan, openNetwork } from "./network/network.ts";
import { layOut } from "./rootfs/layout.ts";
import { standardMounts } from "./rootfs/mounts.ts";
import { trustIn } from "./rootfs/trust.ts";
import { type LimitedSandbox, NamespaceSandbox } from "./sandbox.ts";
import { appFilter } from "./seccomp/compile.ts";
import { makeScratch } from "./scratch.ts";
import { findTools, type Tools } from "./tools.ts";

/**
 * Makes namespaces, network, gate and limits for the application; starts nothing of it (`start`), and proves nothing yet
 * (`selfTest`). What the application dials goes to `receiver`, and no packet of it anywhere else. When this process dies, so
 * does everything in there.
 *
 * @throws SandboxError with the reason and the next step; nothing is left then.
 */
export async function createSandbox(
  spec: SandboxSpec,
  choice: DriverChoice,
  receiver: EgressReceiver,
): Promise<LimitedSandbox> {
  demandArchitecture();
  const plan = chooseDriver(spec, choice);
  const tools = findTools();
  makeScratch(spec.scratch);
  const { mounts, env } = trustIn(spec);
  const layout = layOut(spec.rootfs, [...standardMounts(spec), ...mounts]);
  const controlGroups = plan.makeControlGroups();
  const chosen = { spec: { ...spec, env }, plan, tools, controlGroups };
  const open = () => openNetwork(networkPlan(chosen, receiver));
  try {
    demandCount(plan.capabilities, controlGroups.controllers);
    const launchPlan = fixedPlan(chosen);
    const network = await open();
    const parts = { ...chosen, network, openNetwork: open };
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

function networkPlan({ spec, plan, tools }: Chosen, receiver: EgressReceiver): NetworkPlan {
  const { scratch, port, egressPorts } = spec;
  const innerGroups = plan.capabilities.includes("CAP_SETGID");
  return { scratch, port, egressPorts, receiver, ip: tools.ip, ids: plan.ids, root: plan.root, innerGroups };
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
    capabilities: plan.capabilities,
    limits: resourceLimits(spec.resources, controlGroups.controllers),
    filter: appFilter(),
  };
}
