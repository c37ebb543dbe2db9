/** The fake internet's resolver: answers A questions from a zone that the test changes, and tells of every question. */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

export interface Zone {
  /** IPv4 addresses of a lower-case name; null: no such name. */
  lookup(name: string): readonly string[] | null;
}

export async function startResolver(
  address: string,
  zone: Zone,
  seen: (name: string, type: number) => void,
): Promise<void> {
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  socket.on("message", (query, peer) => {
    socket.send(answer(query, zone, seen), peer.port, peer.address);
  });
  await new Promise<void>((resolve) => socket.bind(53, address, resolve));
  const server = createServer((connection) => {
    connection.on("error", () => {});
    connection.once("data", (framed: Buffer) => {
      const reply = answer(framed.subarray(2), zone, seen);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(reply.length);
      connection.end(Buffer.concat([length, reply]));
    });
  });
  await new Promise<void>((resolve) => server.listen(53, address, resolve));
}

const TTL = 1;

function answer(query: Buffer, zone: Zone, seen: (name: string, type: number) => void): Buffer {
  const { name, end } = readName(query);
  const type = query.readUInt16BE(end);
  seen(name, type);
  const addresses = zone.lookup(name);
  const found = type === 1 ? (addresses ?? []) : [];
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(addresses === null ? 0x8183 : 0x8180, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(found.length, 6);
  head.fill(0, 8);
  return Buffer.concat([head, query.subarray(12, end + 4), ...found.map(record)]);
}

function record(address: string): Buffer {
  const fixed = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, TTL, 0, 4]);
  return Buffer.concat([fixed, Buffer.from(address.split(".").map(Number))]);
}

function readName(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  while ((query[at] ?? 0) !== 0) {
    const length = query[at] ?? 0;
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), end: at + 1 };
}
