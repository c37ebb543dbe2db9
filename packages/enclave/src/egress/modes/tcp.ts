/** Mode `tcp`: bytes of any protocol, to a name or an address that a rule writes down. The network is trusted with them. */
import type { ModeParts, ServeMode } from "../contract.ts";
import { egressLimits, type EgressLimits } from "./limits.ts";
import { serving } from "./serving.ts";
import { spliceRecorded } from "./splice-recorded.ts";

/** Takes connections of mode `tcp`. */
export function serveTcp(parts: ModeParts, limits: EgressLimits = egressLimits): ServeMode {
  return serving(parts.ledger, async (socket, destination) => {
    const upstream = await parts.dialer.dial(destination);
    await spliceRecorded({ ledger: parts.ledger, app: socket, upstream, destination, limits });
  });
}
