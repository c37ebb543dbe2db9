/** The sandbox: what was made once, and the application that comes and goes in it. */
import type { Socket } from "node:net";
import type { AppProcess, Driver, ProbeResult, Sandbox, SandboxSpec } from "../parts.ts";
import type { LaunchPlan } from "./app/launch.ts";
import { type RunningApp, startApp } from "./app/running.ts";
import type { DriverPlan } from "./drivers/driver.ts";
import { SandboxError } from "./errors.ts";
import type { ControlGroups } from "./limits/control-groups.ts";
import { describeLimits, type LimitsDescription } from "./limits/description.ts";
import type { Network } from "./network/network.ts";
import { runSelfTest } from "./self-test/run.ts";

/** A sandbox that says how far its limits hold. */
export interface LimitedSandbox extends Sandbox {
  readonly limits: LimitsDescription;
}

export interface SandboxParts {
  readonly spec: SandboxSpec;
  readonly plan: DriverPlan;
  readonly controlGroups: ControlGroups;
  readonly network: Network;
  readonly openNetwork: () => Promise<Network>;
  readonly launchPlan: (network: Network) => LaunchPlan;
}

type SelfTestResults = Readonly<Record<string, ProbeResult>>;

export class NamespaceSandbox implements LimitedSandbox {
  readonly driver: Driver;
  readonly limits: LimitsDescription;
  readonly #parts: SandboxParts;
  #network: Network | null = null;
  #app: RunningApp | null = null;
  /** What the first self-test said, and the last network of which it held. */
  #verdict: SelfTestResults | null = null;
  #tested: Network | null = null;
  #closed = false;

  constructor(parts: SandboxParts) {
    this.driver = parts.plan.driver;
    this.limits = describeLimits(parts.controlGroups);
    this.#parts = parts;
    this.#keep(parts.network);
  }

  async selfTest(): Promise<SelfTestResults> {
    const network = await this.#networkInForce();
    const { spec, plan } = this.#parts;
    const granted = { ports: spec.egressPorts, capabilities: plan.capabilities };
    const results = await runSelfTest(this.#parts.launchPlan(network), plan.owner, granted);
    this.#verdict ??= results;
    if (differences(this.#verdict, results).length === 0) this.#tested = network;
    return results;
  }

  async start(): Promise<AppProcess> {
    if (this.#app) throw new TypeError("the application runs already");
    const network = await this.#networkInForce();
    await this.#demandTested(network);
    const app = await startApp(this.#parts.launchPlan(network), this.#parts.spec, this.#parts.plan.owner);
    this.#app = app;
    void this.#forgetWhenGone(app);
    // Closed, or without its gate, while it started: then it must not go on.
    if (this.#closed || this.#network !== network) app.kill();
    return app;
  }

  dial(): Promise<Socket> {
    if (this.#network) return this.#network.gate.dial();
    return Promise.reject(new SandboxError("gate-down", "there is no way to the application", "Start it anew."));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#app?.stop(0);
    const network = this.#network;
    this.#network = null;
    await network?.close();
    await this.#parts.controlGroups.remove();
  }

  /** A lost gate takes the application with it; whoever starts it again gets a new network. */
  async #networkInForce(): Promise<Network> {
    if (this.#closed) throw new SandboxError("closed", "the sandbox was closed", "Make another.");
    return this.#network ?? this.#keep(await this.#parts.openNetwork());
  }

  /** What the self-test said holds for the network in which it ran. In another one it must say the same. */
  async #demandTested(network: Network): Promise<void> {
    if (this.#verdict === null || this.#tested === network) return;
    const changed = differences(this.#verdict, await this.selfTest());
    if (changed.length === 0 && this.#tested === network) return;
    const reason = `the network was made anew, and the self-test differs (${changed.join(", ") || "made anew again"})`;
    throw new SandboxError("self-test-failed", reason, "Start the box anew.");
  }

  async #forgetWhenGone(app: RunningApp): Promise<void> {
    await app.exited;
    this.#app = null;
  }

  #keep(network: Network): Network {
    this.#network = network;
    void this.#leaveWithGate(network);
    return network;
  }

  async #leaveWithGate(network: Network): Promise<void> {
    await network.gate.gone;
    if (this.#network !== network) return;
    this.#network = null;
    await this.#app?.stop(0);
    await network.close();
  }
}

function differences(one: SelfTestResults, other: SelfTestResults): string[] {
  return Object.keys({ ...one, ...other }).filter((probe) => one[probe] !== other[probe]);
}
