/** As much of PostgreSQL's protocol (version 3.0) as one question takes. */
import type { Socket } from "node:net";

/** The first column of the first row. */
export async function askPostgres(socket: Socket, query: string): Promise<string> {
  socket.write(startup({ user: "postgres", database: "postgres" }));
  let asked = false;
  let unread: Buffer = Buffer.alloc(0);
  let answer = "";
  for await (const chunk of socket) {
    unread = Buffer.concat([unread, chunk as Buffer]);
    for (let end = endOf(unread); end !== null; end = endOf(unread)) {
      const [type, body] = [String.fromCharCode(unread[0] ?? 0), unread.subarray(5, end)];
      unread = unread.subarray(end);
      if (type === "E") throw new Error(body.toString("latin1"));
      if (type === "D") answer = body.toString("utf8", 6, 6 + body.readInt32BE(2));
      if (type !== "Z") continue;
      if (asked) return answer;
      asked = true;
      socket.write(message("Q", `${query}\0`));
    }
  }
  throw new Error("it ended early");
}

function endOf(unread: Buffer): number | null {
  if (unread.length < 5) return null;
  const end = 1 + unread.readInt32BE(1);
  return unread.length < end ? null : end;
}

function startup(parameters: Record<string, string>): Buffer {
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}\0${value}\0`);
  const body = Buffer.from(`\0\u0003\0\0${pairs.join("")}\0`, "latin1");
  return Buffer.concat([length(body), body]);
}

function message(type: string, text: string): Buffer {
  const body = Buffer.from(text);
  return Buffer.concat([Buffer.from(type), length(body), body]);
}

function length(body: Buffer): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(body.length + 4);
  return bytes;
}
