/** The name server of a hostile network: answers what the test says at the moment, and remembers what it was asked. */
import { createSocket } from "node:dgram";
import { once } from "node:events";

export interface NameServer {
  /** `address:port` */
  readonly server: string;
  /** Addresses of the one family by name; a name that is not there does not exist. */
  answers: Readonly<Record<string, { readonly a?: readonly string[]; readonly aaaa?: readonly string[] }>>;
  /** Seconds. */
  ttl: number;
  silent: boolean;
  /** `A name` or `AAAA name`, in order. */
  readonly asked: string[];
  close(): Promise<void>;
}

export async function startNameServer(): Promise<NameServer> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const world: NameServer = {
    server: `127.0.0.1:${socket.address().port}`,
    answers: {},
    ttl: 1,
    silent: false,
    asked: [],
    async close() {
      socket.close();
      await once(socket, "close");
    },
  };
  socket.on("message", (message, { port, address }) => {
    const { name, type, end } = question(message);
    world.asked.push(`${type === 1 ? "A" : type === 28 ? "AAAA" : type} ${name}`);
    if (!world.silent) socket.send(reply(world, message.subarray(0, end), name, type), port, address);
  });
  return world;
}

function question(message: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] ?? 0; length !== 0; length = message[at] ?? 0) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

function reply(world: NameServer, head: Buffer, name: string, type: number): Buffer {
  const found = world.answers[name];
  const addresses = (type === 1 ? found?.a : type === 28 ? found?.aaaa : []) ?? [];
  const answer = Buffer.from(head);
  answer.writeUInt16BE(0x8180 | (found === undefined ? 3 : 0), 2);
  [1, addresses.length, 0, 0].forEach((count, index) => answer.writeUInt16BE(count, 4 + 2 * index));
  return Buffer.concat([answer, ...addresses.map((address) => record(type, world.ttl, address))]);
}

function record(type: number, ttl: number, address: string): Buffer {
  const data = type === 1 ? Buffer.from(address.split(".").map(Number)) : ipv6Bytes(address);
  const head = Buffer.alloc(12);
  [0xc00c, type, 1].forEach((word, index) => head.writeUInt16BE(word, 2 * index));
  head.writeUInt32BE(ttl, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

/** Only the full form, eight groups. */
function ipv6Bytes(address: string): Buffer {
  const groups = address.split(":");
  if (groups.length !== 8) throw new TypeError("eight groups, please");
  return Buffer.concat(groups.map((group) => Buffer.from(group.padStart(4, "0"), "hex")));
}
