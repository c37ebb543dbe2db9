/** Listeners of ours on the host, while the self-test runs. Whoever reaches one proves that the sandbox leaks. */
import { randomBytes, randomUUID } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { type AddressInfo, createServer, type ListenOptions, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Targets } from "./probes.ts";

export interface Canaries {
  readonly targets: Targets;
  /** Probes whose target was reached. */
  reached(): ReadonlySet<string>;
  close(): void;
}

/** A path of a Unix socket holds 107 bytes. */
const LONGEST_SCRATCH = 70;

export async function openCanaries(scratch: string): Promise<Canaries> {
  const reached = new Set<string>();
  const unixPath = join(scratch.length > LONGEST_SCRATCH ? tmpdir() : scratch, randomUUID());
  const abstractName = `\0blindbox-${randomUUID()}`;
  const path = await listener({ path: unixPath }, () => reached.add("unix-sockets"));
  const abstract = await listener({ path: abstractName }, () => reached.add("unix-sockets"));
  const tcp = await listener({ host: "127.0.0.1", port: 0 }, () => reached.add("ip-literal"));
  const { port } = tcp.address() as AddressInfo;
  const udp = createSocket("udp4", () => reached.add("udp")).bind(port, "127.0.0.1");
  await once(udp, "listening");
  return {
    targets: { unixPath, abstractName, port, resolvers: ownResolvers(), address: anyAddress(), name: anyName() },
    reached: () => reached,
    close: () => {
      for (const server of [path, abstract, tcp]) server.close();
      udp.close();
    },
  };
}

async function listener(options: ListenOptions, reached: () => void): Promise<Server> {
  const server = createServer((socket) => {
    reached();
    socket.on("error", () => {});
    socket.destroy();
  });
  server.listen(options);
  await once(server, "listening");
  return server;
}

// A network that its owner never announced to the internet: whoever dials it waits.
function anyAddress(): string {
  return `11.${randomBytes(3).join(".")}`;
}

function anyName(): string {
  return `${randomBytes(16).toString("hex")}.${randomBytes(16).toString("hex")}.com`;
}

const RESOLVERS = "/etc/resolv.conf";

function ownResolvers(): string[] {
  const text = existsSync(RESOLVERS) ? readFileSync(RESOLVERS, "latin1") : "";
  return [...text.matchAll(/^nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$/gm)].map(([, address = ""]) => address);
}
