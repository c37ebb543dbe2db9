/** Somebody in between who ends TLS, reads everything, and passes it on. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import { connectionCount, type FakeBox } from "./box.ts";
import type { TlsIdentity } from "./identity.ts";

export interface Relay {
  readonly url: string;
  /** Everything that clients sent, in clear. */
  seen(): string;
  /** Resolves once the clients have closed their connections. */
  allClosed(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a relay that presents `identity`: its own, or the box's, stolen. */
export async function startRelay(box: FakeBox, identity: TlsIdentity): Promise<Relay> {
  const sockets: TLSSocket[] = [];
  let seen = "";
  const options = { key: identity.key, cert: identity.cert, ALPNProtocols: ["http/1.1"] };
  const server = createServer(options, (client) => {
    sockets.push(client);
    const upstream = connect({
      port: box.port,
      host: "127.0.0.1",
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
    });
    client.on("data", (chunk: Buffer) => (seen += chunk.toString("latin1")));
    for (const socket of [client, upstream]) socket.on("error", () => {});
    client.pipe(upstream);
    upstream.pipe(client);
    client.on("close", () => upstream.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: () => seen,
    async allClosed() {
      while ((await connectionCount(server)) > 0) await new Promise((resolve) => setTimeout(resolve, 2));
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
