/** Who would like to have the recording: a plain HTTPS server, and a relay that ends TLS before a genuine box. */
import { createServer, type Server } from "node:https";
import { createServer as createTlsServer, connect, type TLSSocket } from "node:tls";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import type { Processes } from "./processes.ts";

/** An impostor that is up. `received` counts the bytes of requests that reached it, apart from the attestation itself. */
export interface Impostor {
  readonly url: string;
  received(): number;
  close(): Promise<void>;
}

interface Identity {
  readonly key: string;
  readonly cert: string;
}

/** A key and a certificate of the impostor's own, as anybody can make them. */
async function selfSigned(processes: Processes): Promise<Identity> {
  const request = ["req", "-x509", "-nodes", "-days", "1", "-subj", "/CN=impostor", "-keyout", "-", "-out", "-"];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  const pem = await processes.run("openssl", [...request, ...key], { cwd: tmpdir() });
  return { key: pem, cert: pem };
}

async function listen(server: Server | ReturnType<typeof createTlsServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An ordinary HTTPS server that answers everything with a friendly page. */
export async function plainServer(processes: Processes): Promise<Impostor> {
  let received = 0;
  const server = createServer({ ...(await selfSigned(processes)), minVersion: "TLSv1.3" }, (request, response) => {
    const attestation = request.url?.startsWith("/.well-known/blindbox/") === true;
    request.on("data", (chunk: Buffer) => {
      if (!attestation) received += chunk.length;
    });
    request.on("end", () => response.end("<h1>Send me your recordings</h1>"));
  });
  const url = await listen(server);
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
  };
  return { url, received: () => received, close };
}

/**
 * A relay in the middle: it ends TLS with its own key, opens its own TLS connection to the genuine box, and forwards
 * every byte. It counts what the client sends after the answer to the attestation request has passed.
 */
export async function relay(target: URL, processes: Processes): Promise<Impostor> {
  let received = 0;
  const open = new Set<TLSSocket>();
  const identity = { ...(await selfSigned(processes)), minVersion: "TLSv1.3" as const, ALPNProtocols: ["http/1.1"] };
  const server = createTlsServer(identity, (client) => {
    // The relay is the attacker: it does not care whom it talks to.
    const box = connect({
      host: target.hostname,
      port: Number(target.port),
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
    });
    let answered = false;
    for (const socket of [client, box]) open.add(socket.on("error", () => socket.destroy()));
    client.on("data", (chunk: Buffer) => {
      if (answered) received += chunk.length;
    });
    box.once("data", () => {
      answered = true;
    });
    client.pipe(box).pipe(client);
  });
  const url = await listen(server);
  const close = async (): Promise<void> => {
    for (const socket of open) socket.destroy();
    server.close();
  };
  return { url, received: () => received, close };
}
