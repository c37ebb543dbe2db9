/** Listening, said as an address. */
import type { AddressInfo, Server } from "node:net";

/** Resolves with `host:port` as soon as callers can connect; rejects where the address cannot be had. */
export async function listen(server: Server, host: string, port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject).listen(port, host, resolve);
  await promise;
  server.off("error", reject);
  const { address, family, port: actual } = server.address() as AddressInfo;
  return family === "IPv6" ? `[${address}]:${actual}` : `${address}:${actual}`;
}
