/** Stands where the box's way out will be: refuses every connection and every name, or says what was dialled. */
import type { Socket as DatagramSocket } from "node:dgram";
import type { Server, Socket } from "node:net";
import type { EgressReceiver } from "../../src/parts.ts";

/** `refuse`: reset at once. `tell`: say `address:port` of what was dialled, and end. `keep`: say nothing and stay. */
export type Answer = "refuse" | "tell" | "keep";

export interface Arrivals extends EgressReceiver {
  /** What was dialled, as `address:port`, in order; DNS is not among it. */
  readonly dialled: string[];
  /** What was asked for, as bytes of the question. */
  readonly asked: string[];
  /** How many servers and sockets came, and how many of them are closed. */
  readonly came: { servers: number; sockets: number; closed: number };
  /** Connections that are open now. */
  open: number;
  answer: Answer;
}

export function createArrivals(answer: Answer = "refuse"): Arrivals {
  const arrivals: Arrivals = {
    answer,
    dialled: [],
    asked: [],
    came: { servers: 0, sockets: 0, closed: 0 },
    open: 0,
    listener: (server) => {
      arrivals.came.servers += 1;
      server.on("close", () => (arrivals.came.closed += 1));
      server.on("connection", (socket: Socket) => arrive(arrivals, socket));
    },
    dnsListener: (server) => serveNames(arrivals, server),
    dnsSocket: (socket) => serveDatagrams(arrivals, socket),
  };
  return arrivals;
}

function arrive(arrivals: Arrivals, socket: Socket): void {
  const { dialled, answer } = arrivals;
  count(arrivals, socket);
  const target = `${socket.localAddress}:${socket.localPort}`;
  dialled.push(socket.bytesRead === 0 && socket.isPaused() ? target : `${target} read`);
  socket.on("error", () => {});
  if (answer === "refuse") socket.resetAndDestroy();
  else if (answer === "tell") socket.resume().end(`${target}\n`);
}

function count(arrivals: Arrivals, socket: Socket): void {
  arrivals.open += 1;
  socket.on("close", () => (arrivals.open -= 1));
}

function serveNames(arrivals: Arrivals, server: Server): void {
  arrivals.came.servers += 1;
  server.on("close", () => (arrivals.came.closed += 1));
  server.on("connection", (socket: Socket) => {
    count(arrivals, socket);
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      const answer = noSuchName(arrivals, chunk.subarray(2));
      socket.end(Buffer.concat([Uint8Array.of(0, answer.length), answer]));
    });
    socket.resume();
  });
}

function serveDatagrams(arrivals: Arrivals, socket: DatagramSocket): void {
  arrivals.came.sockets += 1;
  socket.on("close", () => (arrivals.came.closed += 1));
  socket.on("message", (query, { port, address }) => socket.send(noSuchName(arrivals, query), port, address));
}

function noSuchName({ asked }: Arrivals, query: Buffer): Buffer {
  asked.push(query.toString("latin1", 12));
  const answer = Buffer.from(query);
  answer[2] = 0x80 | (query[2] ?? 0);
  answer[3] = 0x83;
  return answer;
}
