/** HTTP/1.1 of the application: every request is read, compared with the rules, and written anew for the host. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { EgressRequestDecision } from "@blindbox/manifest";
import type { Destination, ModeParts } from "../../contract.ts";
import type { EgressError, EgressErrorCode } from "../../errors.ts";
import { createRequestClass } from "../../../joined-request.ts";
import { openBody } from "../../../request-body.ts";
import type { EgressLimits } from "../limits.ts";
import { recordAllowed, recordRefusal } from "../records.ts";
import { reset } from "../../../reset.ts";
import { type AppConnection, openAppConnection } from "./app-connection.ts";
import { discardRest, openRequest, openWaitingRequest, type RequestExchange } from "../../../request-exchange.ts";
import { formFault, hasBody, hostFor } from "./head.ts";
import { headersForHost, overridesRule } from "./headers.ts";
import { rawProblem, sendProblem } from "./problems.ts";
import { Relay } from "./relay.ts";
import { createUpstream, type Open, type Upstream } from "./upstream.ts";
import { isWebSocketRequest } from "../../../websocket.ts";
import { serveWebSocket } from "./websocket.ts";

export interface RequestServerOptions {
  readonly parts: ModeParts;
  readonly open: Open;
  readonly limits: EgressLimits;
}

/** Takes connections whose bytes are plain HTTP by now. */
export type TakeConnection = (socket: Socket, destination: Destination) => void;

/** What the rules say of a request. */
type Ruling =
  | { readonly allowed: true; readonly destination: Destination; readonly host: string }
  | { readonly allowed: false; readonly destination: Destination; readonly verdict: EgressErrorCode };

/** Starts to serve connections; the server listens nowhere. */
export function createRequestServer(options: RequestServerOptions): TakeConnection {
  const { parts, open, limits } = options;
  const server = createHttpServer(limits);
  const connections = new WeakMap<Duplex, AppConnection>();
  const take = (exchange: RequestExchange, wanted = answer): void => {
    const connection = connections.get(exchange.request.socket);
    if (connection?.admits(exchange.response) !== true) return;
    exchange.response.once("finish", () => discardRest(exchange.request, limits));
    wanted(options, connection, exchange);
  };
  server.on("request", (request, response) => take(openRequest(request, response)));
  server.on("checkContinue", (request, response) => take(openWaitingRequest(request, response)));
  server.on("checkExpectation", (request, response) => take(openRequest(request, response), refuseExpectation));
  server.on("connect", (_request, socket) =>
    refuseRaw(parts, connections.get(socket), socket, "refused-request-method"),
  );
  server.on("upgrade", (request, socket, head) => upgrade(options, connections.get(socket), request, socket, head));
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    // All others are the connection's own end.
    if (error.code?.startsWith("HPE_") !== true) return void socket.destroy();
    refuseRaw(parts, connections.get(socket), socket, "refused-request-form");
  });
  return (socket, destination) => {
    if (socket.destroyed) return;
    const upstream = createUpstream({ destination, open, ledger: parts.ledger, limits });
    const onSlow = (): void => {
      recordRefusal(parts.ledger, destination, "refused-request-timeout");
      reset(socket);
    };
    connections.set(socket, openAppConnection({ socket, destination, upstream, limits, onSlow }));
    server.emit("connection", socket);
  };
}

function createHttpServer(limits: EgressLimits): Server {
  const server = createServer({
    IncomingMessage: createRequestClass(),
    insecureHTTPParser: false,
    // We ask for Host ourselves, so that its absence is written down like all else.
    requireHostHeader: false,
    maxHeaderSize: limits.headerBytes,
    // Half, which Node announces to the application, so that it never meets the end of the whole.
    keepAliveTimeout: Math.ceil(limits.head / 2),
  });
  // Zero: all lines are kept. A bound would drop the rest of them in silence, and `formFault` counts.
  server.maxHeadersCount = 0;
  return server;
}

function answer({ parts, limits }: RequestServerOptions, connection: AppConnection, exchange: RequestExchange): void {
  const { request, response } = exchange;
  const { upstream } = connection;
  const ruling = request.headers.upgrade === undefined ? rule(parts, limits, connection, request) : null;
  if (ruling?.allowed !== true) {
    const { verdict, destination } = ruling ?? { verdict: "refused-upgrade", destination: connection.destination };
    recordRefusal(parts.ledger, destination, verdict, upstream.peer());
    return sendProblem(response, verdict);
  }
  recordAllowed(parts.ledger, ruling.destination, upstream.peer());
  const relay = new Relay({ response, limits, onRefusal: recorder(parts, ruling.destination, upstream) });
  exchange.wantsBody();
  const { method = "", url = "" } = request;
  const body = hasBody(request) ? openBody(request, { whenReady: upstream.whenIdle }) : null;
  upstream.client.dispatch(
    { method, path: url, headers: headersForHost(request.rawHeaders, ruling.host), body },
    relay,
  );
}

function recorder(parts: ModeParts, destination: Destination, upstream: Upstream): (refusal: EgressError) => void {
  return ({ code, peer }) => recordRefusal(parts.ledger, destination, code, peer ?? upstream.peer());
}

/** The order is that of trust: form, then whom it is for, then what it asks. */
function rule(
  { decider }: ModeParts,
  limits: EgressLimits,
  { destination }: AppConnection,
  request: IncomingMessage,
): Ruling {
  const { method = "", url = "", rawHeaders } = request;
  const refused = (verdict: EgressErrorCode): Ruling => ({ allowed: false, destination, verdict });
  const fault = formFault(request, limits.headerCount);
  if (fault !== null) return refused(fault);
  const { name, port, egress } = destination;
  const host = hostFor(request, destination);
  if (name === null || host === null) return refused("refused-request-host");
  const decision = decider.request({ name, port }, { method, target: url });
  if (!decision.allowed) return refused(verdictByReason[decision.reason]);
  if (!("methods" in egress) || overridesRule(rawHeaders, egress)) return refused("refused-request-override");
  return { allowed: true, destination: { ...destination, rule: decision.rule }, host };
}

/** What a request that no rule allows is written down as. */
export const verdictByReason: Readonly<Record<RefusalReason, EgressErrorCode>> = {
  "bad-target": "refused-request-target",
  "method-not-allowed": "refused-request-method",
  "path-not-allowed": "refused-request-path",
};

type RefusalReason = Extract<EgressRequestDecision, { readonly allowed: false }>["reason"];

function refuseExpectation(
  { parts }: RequestServerOptions,
  connection: AppConnection,
  { response }: RequestExchange,
): void {
  recordRefusal(parts.ledger, connection.destination, "refused-request-form", connection.upstream.peer());
  sendProblem(response, "refused-request-form");
}

// What follows malformed bytes has no certain start, so the connection is closed in every case.
function refuseRaw(
  parts: ModeParts,
  connection: AppConnection | undefined,
  socket: Duplex,
  verdict: EgressErrorCode,
): void {
  // What was refused before is not refused again for what stands behind it.
  if (connection === undefined || connection.isEnding()) return void socket.destroy();
  recordRefusal(parts.ledger, connection.destination, verdict, connection.upstream.peer());
  if (connection.isQuiet() && socket.writable) socket.end(rawProblem(verdict), () => socket.destroy());
  else socket.destroy();
}

function upgrade(
  { parts, limits }: RequestServerOptions,
  connection: AppConnection | undefined,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  if (connection === undefined) return void socket.destroy();
  const ruling = rule(parts, limits, connection, request);
  const { egress } = connection.destination;
  const isGranted = egress.mode === "verified" && egress.websocket && isWebSocketRequest(request, head);
  if (!ruling.allowed) return refuseRaw(parts, connection, socket, ruling.verdict);
  if (!isGranted || !connection.isQuiet()) return refuseRaw(parts, connection, socket, "refused-upgrade");
  connection.leave();
  const headers = headersForHost(request.rawHeaders, ruling.host);
  recordAllowed(parts.ledger, ruling.destination, connection.upstream.peer());
  const onRefusal = recorder(parts, ruling.destination, connection.upstream);
  serveWebSocket({ app: socket, request, headers, client: connection.upstream.client, limits, onRefusal });
}
