/** From the address that the application dialled to the mode that serves the connection, or to its end. */
import type { Server, Socket } from "node:net";
import type { LedgerRefusal } from "@blindbox/attestation";
import type { Egress, EgressDecider } from "@blindbox/manifest";
import type { Destination, Ledger, ServeMode } from "./contract.ts";
import { reset } from "../reset.ts";

export interface RouterLimits {
  /** Connections open at once, in all and to one name or address on one port. */
  readonly connections: number;
  readonly perDestination: number;
}

// A connection with both of its ends and TLS in between takes some 100 KiB.
export const routerLimits: RouterLimits = Object.freeze({ connections: 1024, perDestination: 512 });

export interface RouterOptions {
  readonly decider: EgressDecider;
  readonly ledger: Ledger;
  /** The name for which a virtual address stands; null for any other address. */
  readonly nameAt: (address: string) => string | null;
  readonly modes: Readonly<Record<Egress["mode"], ServeMode>>;
  /** Left out: {@link routerLimits}. */
  readonly limits?: RouterLimits;
}

export interface Router {
  /** Takes the connections of a server that listens on one port of the rules, `pauseOnConnect` set. */
  serve(server: Server): void;
  /** Resets those that are open. */
  close(): void;
}

export function createRouter(options: RouterOptions): Router {
  const open = new Set<Socket>();
  const limits = options.limits ?? routerLimits;
  const claims = createClaims(limits);
  const take = (socket: Socket): void => {
    socket.on("error", () => {});
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    const refusal = route(options, claims, socket);
    if (refusal === null) return;
    reset(socket);
    options.ledger.record({ ...nothing, ...refusal });
  };
  return {
    serve: (server) => void server.on("error", () => {}).on("connection", take),
    close: () => open.forEach(reset),
  };
}

interface RouteRefusal {
  readonly verdict: LedgerRefusal;
  readonly port: number | null;
  readonly rule?: number;
  readonly host?: string;
  readonly mode?: Egress["mode"];
}

const nothing = { rule: null, host: null, mode: null, sent: 0, received: 0, peer: null };

/** Hands the socket to its mode, or says why not. */
function route({ decider, nameAt, modes }: RouterOptions, claims: Claims, socket: Socket): RouteRefusal | null {
  const { localAddress, localPort } = socket;
  // Gone before anyone looked, so there is no telling where it wanted to go.
  if (localAddress === undefined || localPort === undefined) return { verdict: "refused-address", port: null };
  const name = nameAt(localAddress);
  const to = { name, address: name === null ? localAddress : null, port: localPort };
  const decision = decider.connection(to);
  if (!decision.allowed) return { verdict: verdicts[decision.reason], port: localPort };
  const { rule, egress } = decision;
  const destination: Destination = { ...to, rule, egress };
  if (!claims.claim(socket, `${localAddress}:${localPort}`)) {
    return { verdict: "refused-connection-limit", port: localPort, rule, host: egress.host, mode: egress.mode };
  }
  modes[egress.mode](socket, destination);
  return null;
}

const verdicts: Readonly<Record<"host-not-allowed" | "port-not-allowed", LedgerRefusal>> = {
  "host-not-allowed": "refused-address",
  "port-not-allowed": "refused-port",
};

interface Claims {
  /** Counts the socket until it is closed; false where it is one too many. */
  claim(socket: Socket, destination: string): boolean;
}

function createClaims({ connections, perDestination }: RouterLimits): Claims {
  const counts = new Map<string, number>();
  let total = 0;
  const release = (destination: string): void => {
    total -= 1;
    const left = (counts.get(destination) ?? 0) - 1;
    if (left > 0) counts.set(destination, left);
    else counts.delete(destination);
  };
  return {
    claim(socket, destination) {
      const count = counts.get(destination) ?? 0;
      if (total >= connections || count >= perDestination) return false;
      total += 1;
      counts.set(destination, count + 1);
      socket.once("close", () => release(destination));
      return true;
    },
  };
}
