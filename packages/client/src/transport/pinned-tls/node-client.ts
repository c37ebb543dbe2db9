import { type buildConnector, Client, type Dispatcher } from "undici";
import type { TransportOptions } from "../transport.ts";
import type { AttestedConnection, AttestedConnections } from "./node-connections.ts";

/**
 * An idle connection is closed after this many milliseconds where the box gives no `Keep-Alive` hint: before the box does
 * so, so that a request seldom meets a connection that is just being closed.
 */
const idleMilliseconds = 30_000;

/** The most that a box's own `Keep-Alive` hint can make of it. */
const maxIdleMilliseconds = 600_000;

/** Where a client keeps the connection that it has. */
interface Slot {
  connection: AttestedConnection | null;
}

async function fill(slot: Slot, connections: AttestedConnections, callback: buildConnector.Callback): Promise<void> {
  slot.connection = null;
  try {
    slot.connection = await connections.take();
  } catch (error) {
    callback(error instanceof Error ? error : new TypeError("not an Error"), null);
    return;
  }
  callback(null, slot.connection.socket);
}

/**
 * undici's client for one connection at a time, which it can only get from {@link AttestedConnections}. Before each request
 * it gives up a connection whose Evidence has grown too old.
 */
export class AttestedClient extends Client {
  readonly #slot: Slot;

  constructor(connections: AttestedConnections, { origin, maxEvidenceAge, timeouts }: TransportOptions) {
    const slot: Slot = { connection: null };
    super(origin, {
      connect: (_options, callback) => void fill(slot, connections, callback),
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: idleMilliseconds,
      keepAliveMaxTimeout: Math.min(maxEvidenceAge * 1000, maxIdleMilliseconds),
      headersTimeout: timeouts.headers,
      bodyTimeout: timeouts.body,
      // Otherwise an environment variable would choose the parser.
      useMilo: false,
    });
    this.#slot = slot;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const { connection } = this.#slot;
    if (connection?.expired() === true && this.stats.running === 0) {
      connection.socket.destroy();
      this.#slot.connection = null;
    }
    return super.dispatch(options, handler);
  }
}
