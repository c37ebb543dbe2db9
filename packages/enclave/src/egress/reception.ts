/** Takes over the sockets that the gate opened, for as long as they last. */
import type { Socket as DatagramSocket } from "node:dgram";
import type { Server } from "node:net";
import type { EgressReceiver } from "../parts.ts";
import type { Ledger } from "./contract.ts";
import { type AnswerMessage, createDnsConnections, DNS_PORT, serveDatagrams } from "./dns/index.ts";
import type { Router } from "./router.ts";

export interface ReceptionParts {
  readonly router: Router;
  readonly answer: AnswerMessage;
  readonly ledger: Ledger;
}

export interface Reception {
  readonly receiver: EgressReceiver;
  /** Closes everything that was taken over, and ends what is open. What comes later is closed at once. */
  close(): Promise<void>;
}

export function createReception({ router, answer, ledger }: ReceptionParts): Reception {
  const taken = new Set<Server | DatagramSocket>();
  let closed = false;
  const keep = <T extends Server | DatagramSocket>(socket: T, serve: (socket: T) => void): void => {
    if (closed) return void socket.close();
    taken.add(socket);
    socket.once("close", () => taken.delete(socket));
    serve(socket);
  };
  const dns = createDnsConnections(answer, () => ledger.record(tooManyDnsConnections));
  return {
    receiver: {
      listener: (server) => keep(server, (listening) => router.serve(listening)),
      dnsListener: (server) => keep(server, (listening) => dns.serve(listening)),
      dnsSocket: (socket) => keep(socket, (datagrams) => serveDatagrams(datagrams, answer)),
    },
    async close() {
      closed = true;
      const closing = [...taken].map(closeSocket);
      router.close();
      dns.close();
      await Promise.all(closing);
    },
  };
}

function closeSocket(socket: Server | DatagramSocket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once("close", () => resolve());
  try {
    socket.close();
  } catch {
    // A datagram socket that is closed already, which the sandbox may have done this very moment.
    resolve();
  }
  return promise;
}

const tooManyDnsConnections = {
  verdict: "refused-connection-limit",
  rule: null,
  host: null,
  port: DNS_PORT,
  mode: null,
  sent: 0,
  received: 0,
  peer: null,
} as const;
