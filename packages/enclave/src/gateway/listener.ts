/** TLS 1.3 and HTTP/1.1 towards callers: which connections are taken, and what is done with bytes that are no request. */
import { constants } from "node:crypto";
import { createServer, type Server } from "node:https";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createRequestClass } from "../joined-request.ts";
import type { TlsIdentity } from "./certificate.ts";
import { type Exchange, openExchange, openWaitingExchange, refuse } from "./exchange.ts";
import type { GatewayLimits } from "./limits.ts";
import { listen } from "./listen.ts";
import { type ProblemCode, rawProblem } from "./problems.ts";
import type { Upgrade } from "./upgrade.ts";

export interface Listener {
  listen(host: string, port: number): Promise<string>;
  /** Ends connections that have nothing to answer. */
  closeIdle(): void;
  /** Stops to listen, and resolves when no connection is left; cuts those that are left after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** What a listener is made of. */
export interface ListenerOptions {
  readonly identity: TlsIdentity;
  readonly limits: GatewayLimits;
  /** Whether callers are asked for a certificate. What they present is judged with each request, by the rules. */
  readonly mutual: boolean;
}

/** Who answers; neither must throw. */
export interface Answering {
  /** Gets every well-formed request. */
  readonly exchange: (exchange: Exchange) => void;
  /** Gets every request that asks for another protocol, on a connection with no other request under way. */
  readonly upgrade: (upgrade: Upgrade) => void;
}

export function createListener(options: ListenerOptions, answering: Answering): Listener {
  const { limits } = options;
  const server = createTlsServer(options);
  const open = trackConnections(server, limits.pipelined);
  const take = (exchange: Exchange, answer = answering.exchange): void => {
    if (open.admits(exchange)) answer(exchange);
  };
  server.on("request", (request, response) => take(openExchange(request, response)));
  server.on("checkContinue", (request, response) => take(openWaitingExchange(request, response)));
  server.on("checkExpectation", (request, response) =>
    take(openExchange(request, response), (exchange) => refuse(exchange, "expectation-failed")),
  );
  server.on("upgrade", (request, socket, head) => {
    // Nobody else listens for its errors any more: one that nobody hears would end the box.
    socket.on("error", () => {});
    if (open.isQuiet(socket)) answering.upgrade({ request, socket, head });
    else socket.destroy();
  });
  server.on("connect", (_request, socket) =>
    sayAndClose(socket, open.canStillAnswer(socket) ? "not-implemented" : null),
  );
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const code = problemByError[error.code ?? ""] ?? "bad-request";
    sayAndClose(socket, open.canStillAnswer(socket) ? code : null);
  });
  return {
    listen: (host, port) => listen(server, host, port),
    closeIdle: () => server.closeIdleConnections(),
    close: (graceMs) => close(server, () => open.cutAll(), graceMs),
  };
}

function createTlsServer({ identity, limits, mutual }: ListenerOptions): Server {
  const server = createServer({
    requestCert: mutual,
    // No certificate authority is trusted here: `client-certificate.ts` demands the issuer that the Manifest pins.
    rejectUnauthorized: false,
    IncomingMessage: createRequestClass(),
    key: identity.key,
    cert: identity.certificate,
    minVersion: "TLSv1.3",
    maxVersion: "TLSv1.3",
    // A resumed session would show no certificate and was attested on another connection: no ticket, no cache.
    secureOptions: constants.SSL_OP_NO_TICKET,
    sessionTimeout: 1,
    ALPNProtocols: ["http/1.1"],
    handshakeTimeout: limits.handshake,
    insecureHTTPParser: false,
    // We ask for Host ourselves, to answer its absence like all else.
    requireHostHeader: false,
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headers,
    requestTimeout: limits.request,
    keepAliveTimeout: limits.idle,
    connectionsCheckingInterval: limits.checkEvery,
  });
  // Zero: all lines are kept. A bound would drop the rest of them in silence, and `headFault` counts.
  server.maxHeadersCount = 0;
  server.maxConnections = limits.connections;
  server.timeout = limits.silence;
  return server;
}

interface ConnectionTracker {
  /** False where the request must not be looked at: its connection is about to end, or was cut just now. */
  admits(exchange: Exchange): boolean;
  /** True where an answer to unreadable bytes can be sent, and cannot fall into the middle of another. */
  canStillAnswer(socket: Duplex): boolean;
  /** True where no request is under way and the connection is not about to end. */
  isQuiet(socket: Duplex): boolean;
  cutAll(): void;
}

interface Connection {
  readonly unanswered: Set<ServerResponse>;
  /** An answer said that it is the last. */
  ended: boolean;
  /** A request was passed over behind one that seemed to be the last. */
  dropped: boolean;
}

function trackConnections(server: Server, maxPipelined: number): ConnectionTracker {
  const sockets = new Set<Socket>();
  const connections = new WeakMap<Duplex, Connection>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("secureConnection", (socket) =>
    connections.set(socket, { unanswered: new Set(), ended: false, dropped: false }),
  );
  return {
    admits({ request: { socket }, response }) {
      const connection = connections.get(socket);
      // What stands behind a refused request may be a part of it, and Node goes on parsing all the same.
      if (connection === undefined || endsSoon(connection)) {
        // Whatever was not looked at will never be answered: the connection ends with the answer that is under way.
        if (connection !== undefined) connection.dropped = true;
        return false;
      }
      if (connection.unanswered.size === maxPipelined) socket.destroy();
      awaitAnswer(connection, response, socket);
      return !socket.destroyed;
    },
    canStillAnswer(socket) {
      const [first, second] = connections.get(socket)?.unanswered ?? [];
      return connections.has(socket) && second === undefined && first?.headersSent !== true;
    },
    isQuiet(socket) {
      const connection = connections.get(socket);
      return connection !== undefined && connection.unanswered.size === 0 && !connection.ended;
    },
    cutAll: () => sockets.forEach((socket) => socket.destroy()),
  };
}

function awaitAnswer(connection: Connection, response: ServerResponse, socket: Socket): void {
  connection.unanswered.add(response);
  response.once("close", () => {
    connection.ended = endsSoon(connection);
    connection.unanswered.delete(response);
    if (connection.dropped) socket.end();
  });
}

function endsSoon({ unanswered, ended }: Connection): boolean {
  return ended || [...unanswered].some((response) => !response.shouldKeepAlive);
}

const problemByError: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: "headers-too-large",
  ERR_HTTP_REQUEST_TIMEOUT: "request-timeout",
};

// What follows malformed bytes has no certain start, so the connection is closed in every case. Nobody else listens for
// its errors any more: one that nobody hears would end the box.
function sayAndClose(socket: Duplex, code: ProblemCode | null): void {
  socket.on("error", () => {});
  if (code === null || !socket.writable) socket.destroy();
  else socket.end(rawProblem(code), () => socket.destroy());
}

async function close(server: Server, cutAll: () => void, graceMs: number): Promise<void> {
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  const timer = setTimeout(cutAll, graceMs);
  await closed.promise;
  clearTimeout(timer);
}
