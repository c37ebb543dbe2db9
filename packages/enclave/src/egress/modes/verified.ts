/**
 * Mode `verified`: the box ends the application's TLS, reads every request, and asks the host itself, by TLS of its own
 * that is verified for the name of the rule. Neither end can make the other speak anything but HTTP/1.1.
 */
import type { Socket } from "node:net";
import { type SecureContext, TLSSocket } from "node:tls";
import { normalizeHostName } from "@blindbox/manifest";
import type { ModeParts, ServeMode } from "../contract.ts";
import { EgressError } from "../errors.ts";
import type { Authority } from "../tls/authority.ts";
import { createTrustOf, originate } from "../tls/originate.ts";
import { egressLimits, type EgressLimits } from "./limits.ts";
import { demandName } from "./passthrough.ts";
import { createRequestServer } from "./requests/server.ts";
import type { Open } from "./requests/upstream.ts";
import { serving } from "./serving.ts";

/** Takes connections of mode `verified`, as whatever host they are for: `authority` is what the application trusts. */
export function serveVerified(parts: ModeParts, authority: Authority, limits: EgressLimits = egressLimits): ServeMode {
  const take = createRequestServer({ parts, limits, open: openVerified(parts, limits) });
  return serving(parts.ledger, async (socket, destination) => {
    await demandName(socket, destination, limits);
    const { name } = destination;
    if (name === null) throw new EgressError("refused-fault");
    take(await terminate(socket, name, await authority.context(name), limits.handshake), destination);
  });
}

/** Opens the box's own connections to hosts of `verified` rules. */
export function openVerified({ dialer }: ModeParts, limits: EgressLimits): Open {
  const trustOf = createTrustOf();
  return async (destination) => {
    const { name, egress } = destination;
    if (name === null || egress.mode !== "verified") throw new EgressError("refused-fault");
    const socket = await dialer.dial(destination);
    return originate(socket, name, trustOf(egress), limits.upstreamHandshake);
  };
}

/** Ends the application's TLS as `name`. */
async function terminate(socket: Socket, name: string, secureContext: SecureContext, ms: number): Promise<TLSSocket> {
  // Gone while the certificate was made: no event would say so any more.
  if (socket.destroyed) throw new EgressError("refused-tls-app");
  const tls = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ["http/1.1"] });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const refuse = (): void => reject(new EgressError("refused-tls-app"));
  tls.on("error", refuse).once("close", refuse).once("secure", resolve);
  const timer = setTimeout(refuse, ms);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
  // OpenSSL read the ClientHello for itself: two readings of one message would be a hole.
  if (typeof tls.servername !== "string" || normalizeHostName(tls.servername) !== name) {
    throw new EgressError("refused-server-name");
  }
  return tls;
}
