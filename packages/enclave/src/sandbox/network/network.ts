/** The namespaces of a sandbox, its network, and the gate in it: made and taken down as one. */
import { type Gate, startGate } from "../gate/gate.ts";
import type { EgressReceiver } from "../../parts.ts";
import type { IdMaps } from "../ids.ts";
import { createNamespaces, type Namespaces } from "../namespaces.ts";
import type { RootOptions } from "../programs.ts";
import { configureNetwork } from "./configure.ts";

export interface NetworkPlan {
  readonly scratch: string;
  readonly ip: string;
  readonly ids: IdMaps;
  readonly root: RootOptions;
  readonly innerGroups: boolean;
  readonly port: number;
  readonly egressPorts: readonly number[];
  readonly receiver: EgressReceiver;
}

export interface Network {
  readonly namespaces: Namespaces;
  readonly gate: Gate;
  /** What runs inside must be dead. */
  close(): Promise<void>;
}

/** @throws SandboxError; nothing is left then. */
export async function openNetwork(plan: NetworkPlan): Promise<Network> {
  const namespaces = await createNamespaces({ ...plan.root, ...plan });
  try {
    const [gate] = await settled([startGate({ ...plan, namespaces }), configureNetwork({ ...plan, namespaces })]);
    await listenAt(gate, plan);
    return { namespaces, gate, close: () => gate.close().finally(() => namespaces.close()) };
  } catch (error) {
    namespaces.close();
    throw error;
  }
}

// Both at once, since the gate takes as long to start as everything else together; but neither outlives the other's failure.
async function settled([gate, configured]: [Promise<Gate>, Promise<void>]): Promise<[Gate, void]> {
  const [first, second] = await Promise.allSettled([gate, configured]);
  if (first.status === "rejected") throw first.reason;
  if (second.status === "fulfilled") return [first.value, second.value];
  await first.value.close();
  throw second.reason;
}

async function listenAt(gate: Gate, { egressPorts, receiver }: NetworkPlan): Promise<void> {
  try {
    await gate.listen(egressPorts, receiver);
  } catch (error) {
    await gate.close();
    throw error;
  }
}
