/** Mode `http`: plain HTTP whose requests the box compares with the rules; who answers them is for the network to say. */
import type { ModeParts, ServeMode } from "../contract.ts";
import { egressLimits, type EgressLimits } from "./limits.ts";
import { createRequestServer } from "./requests/server.ts";
import { serving } from "./serving.ts";

/** Takes connections of mode `http`. */
export function serveHttp(parts: ModeParts, limits: EgressLimits = egressLimits): ServeMode {
  const take = createRequestServer({
    parts,
    limits,
    open: async (destination) => ({ socket: await parts.dialer.dial(destination), peer: null }),
  });
  return serving(parts.ledger, async (socket, destination) => {
    take(socket, destination);
    // It came paused, and an HTTP server only listens.
    socket.resume();
  });
}
