import type { PinnedTls } from "../transport.ts";
import { openJudged } from "./node-attested-socket.ts";
import { createTlsContext } from "./node-tls.ts";
import { openTransport } from "./node-transport.ts";

/** Attested TLS on Node: node:tls for the connection and its exporter, undici for HTTP on what was attested. */
export const pinnedTls: PinnedTls = {
  openTransport,
  async attestOnce(options) {
    const { result, socket } = await openJudged(options, createTlsContext(null));
    socket.destroy();
    return result;
  },
};
