/**
 * The listener for whoever runs the box: plain HTTP, three constants and, where the Manifest says so, coarse numbers. It
 * has no way to the application, to Evidence or to a caller's data.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { listen } from "./listen.ts";
import type { Metrics } from "./metrics.ts";

export interface OperationsOptions {
  /** `ready`: /readyz follows the application, which can so tell the host one bit. `live`: it follows the box alone. */
  readonly health: "live" | "ready";
  readonly draining: () => boolean;
  readonly appReady: () => boolean;
  readonly restarts: () => number;
  /** Null: there are none. */
  readonly metrics: Metrics | null;
}

/** The host's door. */
export interface Operations {
  /** Resolves with the address in force, as `host:port`. */
  listen(host: string, port: number): Promise<string>;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** A probe is short and comes every few seconds; whoever keeps more open is no probe. */
const limits = { connections: 64, headerBytes: 4096, milliseconds: 5000 };

export function createOperations(options: OperationsOptions): Operations {
  const server = createServer(
    { maxHeaderSize: limits.headerBytes, requestTimeout: limits.milliseconds, headersTimeout: limits.milliseconds },
    (request, response) => send(response, answerTo(options, request)),
  );
  server.maxConnections = limits.connections;
  server.on("clientError", (_error, socket) => socket.destroy());
  return { listen: (host, port) => listen(server, host, port), close: () => close(server) };
}

function answerTo(options: OperationsOptions, { method, url }: IncomingMessage): Answer {
  if (method !== "GET" && method !== "HEAD") return plain(405, "method not allowed");
  if (url === "/livez") return plain(200, "live");
  if (url === "/readyz") return isReady(options) ? plain(200, "ready") : plain(503, "not ready");
  if (url === "/metrics" && options.metrics !== null) {
    // Readiness is the application's word, which only a Manifest with `health: ready` lets out.
    const ready = options.health === "ready" ? options.appReady() : !options.draining();
    const body = options.metrics.text({ ready, restarts: options.restarts() });
    return { status: 200, type: "text/plain; version=0.0.4", body };
  }
  return plain(404, "not found");
}

function isReady({ health, draining, appReady }: OperationsOptions): boolean {
  return !draining() && (health === "live" || appReady());
}

function plain(status: number, text: string): Answer {
  return { status, type: "text/plain", body: `${text}\n` };
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.sendDate = false;
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    connection: "close",
  });
  response.end(body);
}

async function close(server: Server): Promise<void> {
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  server.closeAllConnections();
  await closed.promise;
}
