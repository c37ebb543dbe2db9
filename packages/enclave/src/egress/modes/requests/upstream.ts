/** The way of one application connection to its host: at most one connection at a time, made when a request needs it. */
import type { Socket } from "node:net";
import { Client } from "undici";
import type { Destination, Ledger } from "../../contract.ts";
import type { EgressLimits } from "../limits.ts";
import { recordClosed, recordOpened } from "../records.ts";

/** An open connection to the host of a destination. */
export interface Opened {
  readonly socket: Socket;
  /** Fingerprint of the host's certificate; null where there is none. */
  readonly peer: string | null;
}

/** Opens connections to hosts; rejects with an EgressError. */
export type Open = (destination: Destination) => Promise<Opened>;

export interface UpstreamOptions {
  readonly destination: Destination;
  readonly open: Open;
  readonly ledger: Ledger;
  readonly limits: EgressLimits;
}

export interface Upstream {
  readonly client: Client;
  /** Fingerprint of the host's certificate on the last connection; null where there is none yet. */
  peer(): string | null;
  /** Calls `next` when nothing that was written to the host waits in the box any more. */
  readonly whenIdle: (next: () => void) => void;
  close(): void;
}

/** Prepares the way; nothing is opened yet. */
export function createUpstream({ destination, open, ledger, limits }: UpstreamOptions): Upstream {
  let peer: string | null = null;
  let isClosed = false;
  let socket: Socket | null = null;
  const connect = async (): Promise<Socket> => {
    peer = null;
    const opened = await open(destination);
    peer = opened.peer;
    recordConnection(ledger, destination, opened);
    // Whoever asked is gone, and the client would never hear of this socket.
    if (isClosed) opened.socket.destroy();
    socket = opened.socket;
    return socket;
  };
  // The name is never looked up, and never sent: every request carries its Host.
  const client = new Client("http://host.invalid", {
    connect: (_, done) =>
      void connect().then(
        (socket) => done(null, socket),
        (error: Error) => done(error, null),
      ),
    pipelining: 1,
    allowH2: false,
    useMilo: false,
    headersTimeout: limits.answer,
    bodyTimeout: limits.answerPause,
    keepAliveTimeout: limits.upstreamIdle,
    keepAliveMaxTimeout: limits.upstreamIdle,
    maxHeaderSize: limits.answerHeaderBytes,
  });
  return {
    client,
    peer: () => peer,
    whenIdle(next) {
      if (socket === null || !socket.writable || socket.writableLength === 0) next();
      // Behind all that waits. `drain` would come only where the water mark was reached, and that counts bytes alone.
      else socket.write("", next);
    },
    close() {
      isClosed = true;
      void client.destroy();
    },
  };
}

function recordConnection(ledger: Ledger, destination: Destination, { socket, peer }: Opened): void {
  recordOpened(ledger, destination, peer);
  socket.setNoDelay(true);
  socket.once("close", () => {
    recordClosed(ledger, destination, peer, { sent: socket.bytesWritten, received: socket.bytesRead });
  });
}
