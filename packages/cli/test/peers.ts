import { createServer as createHttpsServer } from "node:https";
import { createServer, type AddressInfo, type Server } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { onTestFinished } from "vitest";
import { selfSigned } from "./certificate.ts";

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What a peer was asked: method, path, and whether a credential came with it. */
export interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly authorization: string | undefined;
}

/** A web server with a good TLS 1.3 stack that is no box; it keeps what it was asked. */
export async function webServer(): Promise<{ readonly url: string; readonly asked: readonly Asked[] }> {
  const asked: Asked[] = [];
  const { key, cert } = await selfSigned();
  const server = createHttpsServer(
    { key, cert, minVersion: "TLSv1.3", ALPNProtocols: ["http/1.1"] },
    (request, response) => {
      const { method, url, headers } = request;
      asked.push({ method, url, authorization: headers.authorization });
      request.resume();
      response.writeHead(200, { "content-type": "text/html", "content-length": 2 }).end("hi");
    },
  );
  return { url: await listen(server), asked };
}

/** A server that talks, but no TLS. */
export function plainServer(): Promise<string> {
  return listen(createServer((socket) => socket.on("error", () => undefined).end("SSH-2.0-x\r\n")));
}

/** A server that accepts a TLS connection, and closes it when it is asked something. */
export async function closingServer(): Promise<string> {
  const { key, cert } = await selfSigned();
  const server = createTlsServer({ key, cert, minVersion: "TLSv1.3", ALPNProtocols: ["http/1.1"] }, (socket) =>
    socket.on("error", () => undefined).on("data", () => socket.end()),
  );
  return listen(server);
}

/** A server that accepts a TLS connection, and answers what is no HTTP. */
export async function garblingServer(): Promise<string> {
  const { key, cert } = await selfSigned();
  const server = createTlsServer({ key, cert, minVersion: "TLSv1.3", ALPNProtocols: ["http/1.1"] }, (socket) =>
    socket.on("error", () => undefined).on("data", () => socket.end("SSH-2.0-x\r\n\r\n")),
  );
  return listen(server);
}

/** A port where nothing listens. */
export async function deadPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `https://127.0.0.1:${port}`;
}
