/**
 * The gate's end of what the application dials: opens the sockets, hands them over, and keeps none. None keeps the program
 * alive either: it ends with its channel.
 */
import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import type { ListenMessage, ListenPurpose, ListenRequest } from "./messages.ts";

/** Every address is the gate's own, so this is whatever the application may dial. */
const EVERY_ADDRESS = "0.0.0.0";

/** Resolves when all were handed over and closed here, or with why not. */
export async function openListeners({ ports, dns }: ListenRequest): Promise<ListenMessage> {
  try {
    for (const port of ports) await handOver(port, await listen(EVERY_ADDRESS, port));
    await handOver("dns", await listen(dns.host, dns.port));
    await handOver("dns-datagrams", await bind(dns.host, dns.port));
    return { opened: true };
  } catch (error) {
    return { opened: false, code: (error as NodeJS.ErrnoException).code ?? "unknown" };
  }
}

async function listen(host: string, port: number): Promise<Server> {
  const server = createServer().unref();
  server.listen({ host, port });
  await once(server, "listening");
  return server;
}

async function bind(address: string, port: number): Promise<DatagramSocket> {
  const socket = createSocket("udp4").unref();
  socket.bind({ address, port });
  await once(socket, "listening");
  return socket;
}

// With a copy of its own the gate would take every other connection or datagram, which nobody would ever answer.
async function handOver(listens: ListenPurpose, socket: Server | DatagramSocket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const message: ListenMessage = { listens };
  process.send?.(message, socket, { keepOpen: false }, (error) => (error ? reject(error) : resolve()));
  await promise;
  const closed = once(socket, "close");
  socket.close();
  await closed;
}
