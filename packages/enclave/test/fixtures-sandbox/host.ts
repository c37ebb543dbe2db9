/** Everything on the host that an application might like to reach, each with a log of who did. */
import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type ListenOptions, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { temporaryDirectory } from "./rootfs.ts";

export interface HostListeners {
  /** One port, TCP and UDP, on every address of the host. */
  readonly port: number;
  readonly unixPath: string;
  readonly abstractName: string;
  /** What arrived, by which listener. */
  readonly log: string[];
  close(): void;
}

export async function listenOnHost(): Promise<HostListeners> {
  const log: string[] = [];
  const unixPath = join(temporaryDirectory(), "host.sock");
  const abstractName = `blindbox-host-${process.pid}-${Date.now()}`;
  const tcp = await listen({ host: "::", port: 0 }, () => log.push("tcp"));
  const { port } = tcp.address() as AddressInfo;
  const udp = createSocket("udp6").on("message", () => log.push("udp"));
  udp.bind(port, "::");
  await once(udp, "listening");
  const servers = [
    tcp,
    await listen({ path: unixPath, writableAll: true }, () => log.push("unix")),
    await listen({ path: `\0${abstractName}` }, () => log.push("abstract")),
  ];
  return { port, unixPath, abstractName, log, close: () => closeAll(servers, udp) };
}

/** The host's own addresses, loopback included. */
export function hostAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.map(({ address, scopeid }) => (scopeid ? null : address)).filter((address) => address !== null);
}

/** Proves that the listeners can be reached by whoever is on the host. */
export async function reachAll({ port, unixPath, abstractName }: HostListeners): Promise<void> {
  for (const target of [{ host: "127.0.0.1", port }, { path: unixPath }, { path: `\0${abstractName}` }]) {
    const socket = connect(target);
    await once(socket, "connect");
    socket.destroy();
  }
  const udp = createSocket("udp4");
  await new Promise((resolve) => udp.send("hello", port, "127.0.0.1", resolve));
  udp.close();
}

async function listen(options: ListenOptions, arrived: () => void): Promise<Server> {
  const server = createServer((socket) => {
    arrived();
    socket.on("error", () => {}).destroy();
  });
  server.listen(options);
  await once(server, "listening");
  return server;
}

function closeAll(servers: readonly Server[], udp: DatagramSocket): void {
  for (const server of servers) server.close();
  udp.close();
}
