import { Pool } from "undici";
import type { Transport, TransportOptions } from "../transport.ts";
import { AttestedClient } from "./node-client.ts";
import { AttestedConnections } from "./node-connections.ts";
import { sendRequest } from "./node-request.ts";

/** Opens a session's own pool, with its first connection attested. Rejects with the refusal or a ConnectionError. */
export async function openTransport(options: TransportOptions): Promise<Transport> {
  const connections = await AttestedConnections.open(options);
  const pool = new Pool(options.origin, {
    connections: options.maxConnections,
    factory: () => new AttestedClient(connections, options),
  });
  return {
    attestation: () => connections.newest,
    send: (request) => sendRequest(pool, request, options.timeouts),
    async close() {
      connections.close();
      await pool.close();
    },
  };
}
