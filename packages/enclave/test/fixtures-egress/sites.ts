/** Hosts on the internet; each keeps its own log of what reached it, down to the byte. */
import { createServer as createHttpServer, type RequestListener, type Server as HttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import type { Identity } from "./certificates.ts";

export interface Site {
  readonly port: number;
  /** Connections that were opened so far. */
  connections(): number;
  /** Everything that was said to it, after TLS where it speaks TLS. */
  heard(): string;
  close(): Promise<void>;
}

export interface HttpSite extends Site {
  /** `METHOD target` of each request, in order. */
  readonly requests: string[];
  /** Header lines of each request, names and values in turn. */
  readonly heads: string[][];
}

type OnConnection = (socket: Socket) => void;

/** A TLS site that does as `onConnection` says after the handshake; left out, it only listens. */
export function startTlsSite(
  identity: Identity,
  onConnection: OnConnection = (socket) => socket.resume(),
  options: TlsOptions = {},
): Promise<Site> {
  const server = createTlsServer({ key: identity.key, cert: identity.certificate, ...options });
  return listening(server, "secureConnection", onConnection);
}

/** The same without TLS. */
export function startTcpSite(onConnection: OnConnection): Promise<Site> {
  return listening(createServer({ allowHalfOpen: true }), "connection", onConnection);
}

/** An HTTPS site; `answer` left out, it answers 200 with `ok` once it has the whole request. */
export async function startHttpsSite(
  identity: Identity,
  answer: RequestListener = answerOk,
  options: TlsOptions = {},
): Promise<HttpSite> {
  const log = httpLog(answer);
  const site = await startTlsSite(identity, (socket) => void log.server.emit("connection", socket), {
    ALPNProtocols: ["http/1.1"],
    ...options,
  });
  return { ...site, requests: log.requests, heads: log.heads };
}

/** The same without TLS. */
export async function startHttpSite(answer: RequestListener = answerOk): Promise<HttpSite> {
  const log = httpLog(answer);
  const site = await startTcpSite((socket) => void log.server.emit("connection", socket));
  return { ...site, requests: log.requests, heads: log.heads };
}

const answerOk: RequestListener = (request, response) => {
  request.resume().once("end", () => response.end("ok"));
};

function httpLog(answer: RequestListener): { server: HttpServer; requests: string[]; heads: string[][] } {
  const requests: string[] = [];
  const heads: string[][] = [];
  const server = createHttpServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    heads.push(request.rawHeaders);
    answer(request, response);
  });
  return { server, requests, heads };
}

async function listening(server: Server, event: string, onConnection: OnConnection): Promise<Site> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let heard = "";
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket.on("error", () => {}));
  });
  server.on(event, (socket: Socket) => {
    socket.on("error", () => {});
    onConnection(socket);
    // Behind that, since an HTTP server takes the bytes away below these events until somebody asks for them. What a stream carries is too much to keep; a test that reads it wants the beginning.
    socket.on("data", (chunk: Buffer) => {
      if (heard.length < 65_536) heard += chunk.toString("latin1");
    });
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    heard: () => heard,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        sockets.forEach((socket) => socket.destroy());
      }),
  };
}
