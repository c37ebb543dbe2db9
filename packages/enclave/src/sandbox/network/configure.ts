/**
 * The application's network: one link to the gate, and nothing behind it. The gate takes every address for its own, so a
 * packet of the application ends there, whatever it is addressed to: at a listener of ours, or refused.
 */
import { existsSync } from "node:fs";
import { SandboxError } from "../errors.ts";
import type { Namespaces } from "../namespaces.ts";
import { FIRST_DESCRIPTOR, runProgram } from "../program/run.ts";
import { must, type Step, text, vector } from "../program/steps.ts";
import { becomeRoot, enter, type RootOptions, writeFiles } from "../programs.ts";
import { APP_ADDRESS, APP_INTERFACE, GATE_ADDRESS, GATE_INTERFACE, PREFIX_LENGTH } from "./addresses.ts";

export interface NetworkOptions {
  readonly scratch: string;
  readonly namespaces: Namespaces;
  readonly root: RootOptions;
  /** Path of iproute2's `ip`. */
  readonly ip: string;
}

const OUTER_USER = FIRST_DESCRIPTOR;
const OWN_NETWORK: number = FIRST_DESCRIPTOR + 1;
const OTHER_NETWORK: number = FIRST_DESCRIPTOR + 2;

/** @throws SandboxError `network-setup-failed` */
export async function configureNetwork({ scratch, namespaces, root, ip }: NetworkOptions): Promise<void> {
  const { outerUser, gateNetwork, appNetwork } = namespaces;
  const steps = (settings: Settings) => configure(settings, root, ip);
  try {
    const gate = { descriptors: [outerUser, gateNetwork, appNetwork], input: GATE_COMMANDS.join("\n") };
    await runProgram(scratch, steps(GATE_SETTINGS), gate);
    const app = { descriptors: [outerUser, appNetwork, gateNetwork], input: APP_COMMANDS.join("\n") };
    await runProgram(scratch, steps(APP_SETTINGS), app);
  } catch (error) {
    const reason = error instanceof Error ? error.message : "unknown";
    throw new SandboxError("network-setup-failed", reason, "The kernel needs veth, and /proc/sys must be writable.");
  }
}

/** Paths below /proc/sys/net. */
type Settings = readonly (readonly [path: string, value: string])[];

const NO_IPV6: Settings = [
  ["ipv6/conf/all/disable_ipv6", "1"],
  ["ipv6/conf/default/disable_ipv6", "1"],
];

const GATE_SETTINGS: Settings = [
  ...NO_IPV6,
  ["ipv4/ip_forward", "0"],
  ["ipv4/icmp_echo_ignore_all", "1"],
  ["ipv4/icmp_echo_ignore_broadcasts", "1"],
  // A refusal is told at once, however many there were before: silence would cost the application seconds.
  ["ipv4/icmp_ratelimit", "0"],
  // Every connection to the application comes from one address: as many ports as there are, and soon free again.
  ["ipv4/ip_local_port_range", "1024 65535"],
  ["ipv4/tcp_tw_reuse", "1"],
  // The gate has no capability, and listens where the application dials: on 53 and 443, for instance.
  ["ipv4/ip_unprivileged_port_start", "0"],
];

const APP_SETTINGS: Settings = [...NO_IPV6, ["ipv4/ip_forward", "0"], ["ipv4/ip_unprivileged_port_start", "0"]];

const GATE_COMMANDS = [
  "link set lo up",
  `link add ${GATE_INTERFACE} type veth peer name ${APP_INTERFACE} netns /proc/self/fd/${OTHER_NETWORK}`,
  `address add ${GATE_ADDRESS}/${PREFIX_LENGTH} dev ${GATE_INTERFACE}`,
  `link set ${GATE_INTERFACE} up`,
  "route add local 0.0.0.0/0 dev lo table local",
  `route add ${APP_ADDRESS}/32 dev ${GATE_INTERFACE} table local`,
];

const APP_COMMANDS = [
  "link set lo up",
  `address add ${APP_ADDRESS}/${PREFIX_LENGTH} dev ${APP_INTERFACE}`,
  `link set ${APP_INTERFACE} up`,
  `route add default via ${GATE_ADDRESS}`,
];

function configure(settings: Settings, root: RootOptions, ip: string): Step[] {
  const known = settings.filter(([path]) => !path.startsWith("ipv6/") || existsSync("/proc/sys/net/ipv6"));
  const files = known.map(([path, value]) => [`/proc/sys/net/${path}`, value] as const);
  return [
    ...enter(OUTER_USER, OWN_NETWORK),
    ...becomeRoot(root),
    ...writeFiles(files),
    must("execve", text(ip), vector([ip, "-batch", "-"]), vector([])),
  ];
}
