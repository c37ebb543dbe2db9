/** The only way into the box: from a TLS connection to an answer, for whoever asks. */
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { AccessEntry } from "@blindbox/attestation";
import { type AccessDecider, type Logs, readTarget } from "@blindbox/manifest";
import type { Pool } from "undici";
import type { AppUpstream, Attester, EmitEvent } from "../parts.ts";
import type { AccessLog } from "./access-log.ts";
import { admit, type Admission, type Admitted, type AdmissionParts } from "./admission.ts";
import type { AuditDocument } from "./audit-endpoint.ts";
import { createAllowances } from "./allowances.ts";
import { createAppPool } from "./app-pool.ts";
import { discardRest } from "../request-exchange.ts";
import { boundedBody, declaredLength } from "./body.ts";
import type { TlsIdentity } from "./certificate.ts";
import { type Callers, type ClientCertificate, clientCertificateOf } from "./credentials/index.ts";
import { type Exchange, refuse } from "./exchange.ts";
import { headFault, readHead } from "./head.ts";
import { type GatewayLimits, gatewayLimits } from "./limits.ts";
import { createListener, type Listener } from "./listener.ts";
import type { Metrics, MetricOutcome } from "./metrics.ts";
import { type ProblemCode, statusOf } from "./problems.ts";
import { Relay } from "./relay.ts";
import { isWebSocketRequest } from "../websocket.ts";
import { refuseUpgrade, serveUpgrade, type Upgrade } from "./upgrade.ts";
import { createWellKnown, isOurs, type WellKnown } from "./well-known.ts";

export interface GatewayOptions {
  readonly identity: TlsIdentity;
  readonly attester: Attester;
  readonly access: AccessDecider;
  readonly callers: Callers;
  /** Where requests under rules with `audit: true` are written down. */
  readonly accessLog: Pick<AccessLog, "record">;
  /** The path of each rule, as the access log names it. */
  readonly rulePaths: readonly string[];
  /** Of each rule, whether it admits more than one principal. */
  readonly sharedRules: readonly boolean[];
  /** Null where the Manifest lets no numbers out. */
  readonly metrics: Metrics | null;
  /** What only auditors may read, by path. */
  readonly documents: ReadonlyMap<string, AuditDocument>;
  readonly upstream: AppUpstream;
  /** `none` says nothing of requests; else there is one event for each, of codes and numbers of our own. */
  readonly logs: Logs;
  readonly onEvent: EmitEvent;
  /** Milliseconds of a clock that never goes back. */
  readonly monotonic: () => number;
  /** Left out: {@link gatewayLimits}. */
  readonly limits?: GatewayLimits;
}

export interface Gateway {
  /** Starts to listen; resolves with the address in force, as `host:port`. */
  listen(host: string, port: number): Promise<string>;
  /** The listener of its own for callers with a client certificate, with the same key and the same rules. */
  listenMutual(host: string, port: number): Promise<string>;
  /** True once {@link Gateway.drain} was called. */
  draining(): boolean;
  /** Takes no new connection or request; resolves when those under way are over, and cuts them after `graceMs`. */
  drain(graceMs: number): Promise<void>;
}

/** Everything that answering one exchange needs. */
interface Parts extends AdmissionParts {
  readonly limits: GatewayLimits;
  readonly pool: Pool;
  readonly wellKnown: WellKnown;
  readonly certificateOf: (of: { readonly request: IncomingMessage }) => ClientCertificate;
  readonly accessLog: Pick<AccessLog, "record">;
  readonly rulePaths: readonly string[];
  draining: boolean;
}

export function createGateway(options: GatewayOptions): Gateway {
  const parts = createParts(options);
  const { limits } = parts;
  const log = createRequestLog(options);
  const listenerFor = (mutual: boolean): Listener => {
    const exchange = (each: Exchange): void => {
      log.watch(each);
      each.response.once("finish", () => discardRest(each.request, limits));
      each.response.once("close", () => parts.draining && listener.closeIdle());
      answer(parts, each);
    };
    const upgrade = (each: Upgrade): void => void answerUpgrade(parts, each).then((ending) => log.write(ending));
    const listener = createListener({ identity: options.identity, limits, mutual }, { exchange, upgrade });
    return listener;
  };
  const listeners: Listener[] = [];
  const listen = (mutual: boolean, host: string, port: number): Promise<string> => {
    const listener = listenerFor(mutual);
    listeners.push(listener);
    return listener.listen(host, port);
  };
  return {
    listen: (host, port) => listen(false, host, port),
    listenMutual: (host, port) => listen(true, host, port),
    draining: () => parts.draining,
    async drain(graceMs) {
      parts.draining = true;
      await Promise.all(listeners.map((listener) => listener.close(graceMs)));
      await parts.pool.destroy();
    },
  };
}

function createParts({ limits = gatewayLimits, ...options }: GatewayOptions): Parts {
  const certificateOf = rememberCertificates();
  const { access, callers, upstream, attester, documents, monotonic, accessLog, rulePaths, sharedRules } = options;
  const auditors = { callers, certificateOf };
  return {
    access,
    callers,
    upstream,
    allowances: createAllowances(monotonic),
    wellKnown: createWellKnown({ attester, documents, auditors, maxUnread: limits.pipelinedOwn }),
    pool: createAppPool(upstream, limits),
    limits,
    certificateOf,
    accessLog,
    rulePaths,
    sharedRules,
    draining: false,
  };
}

/** A certificate is the connection's: it is read at its first request and stays what it was. */
function rememberCertificates(): Parts["certificateOf"] {
  const known = new WeakMap<object, ClientCertificate>();
  return ({ request: { socket } }) => {
    const there = known.get(socket);
    if (there !== undefined) return there;
    const found = clientCertificateOf(socket as TLSSocket);
    known.set(socket, found);
    return found;
  };
}

/** The order is that of trust: form, then what is ours, then who asks, and only then the application. */
function answer(parts: Parts, exchange: Exchange): void {
  const { request } = exchange;
  const head = readHead(request.rawHeaders);
  const fault = parts.draining ? "draining" : headFault(request, head, parts.limits.headerCount);
  if (fault !== null) return refuse(exchange, fault);
  // An `Upgrade` that `Connection` does not name is none, and another party may take it for one.
  if (request.headers.upgrade !== undefined) return refuse(exchange, "not-implemented");
  const target = readTarget(request.url ?? "");
  if (target === null) return refuse(exchange, "bad-target");
  if (isOurs(target.plainPath)) return parts.wellKnown.answer(target.plainPath, exchange);
  const admission = admit(parts, { request, head, certificate: parts.certificateOf(exchange) });
  if (!(admission instanceof Promise)) return follow(parts, exchange, admission);
  void admission.then(
    (decided) => follow(parts, exchange, decided),
    () => refuse(exchange, "fault"),
  );
}

/** Whoever left while a token was verified has no answer to get, and no claim to hold. */
function follow(parts: Parts, exchange: Exchange, admission: Admission): void {
  exchange.rule = admission.rule;
  if (exchange.response.destroyed) return admission.admitted ? admission.claim.release() : undefined;
  if (admission.admitted) return forward(parts, exchange, admission);
  return refuse(exchange, admission.problem, admission.headers);
}

function forward(parts: Parts, exchange: Exchange, admitted: Admitted): void {
  const { decided, headers, claim } = admitted;
  const { limits } = decided;
  const { request, response } = exchange;
  const relay = new Relay({
    response,
    draining: () => parts.draining,
    appLives: () => parts.upstream.state() === "ready",
    limits: { ...parts.limits, answerBytes: limits.response },
    onProblem: (code) => {
      exchange.outcome = code;
    },
  });
  const timer = setTimeout(() => relay.expire(), limits.time * 1000);
  response.once("close", () => {
    clearTimeout(timer);
    claim.release();
    if (decided.audit) parts.accessLog.record({ ...entryOf(parts, exchange, admitted), received, sent: relay.bytes });
  });
  exchange.wantsBody();
  const { method = "", url = "" } = request;
  let received = 0;
  const count = (bytes: number): void => {
    received += bytes;
  };
  const body = declaredLength(request) === 0 ? null : boundedBody(request, limits.body, count);
  parts.pool.dispatch({ method, path: url, headers: [...headers], body }, relay);
}

/** The same order for a request that asks for another protocol; resolves with how it ended, when it is over. */
async function answerUpgrade(parts: Parts, upgrade: Upgrade): Promise<Ending> {
  const { request, socket, head: behind } = upgrade;
  const refused = (outcome: ProblemCode, rule: number | null = null): Ending => {
    refuseUpgrade(socket, outcome);
    return { rule, outcome };
  };
  const head = readHead(request.rawHeaders);
  const fault = parts.draining ? "draining" : headFault(request, head, parts.limits.headerCount);
  if (fault !== null) return refused(fault);
  const target = readTarget(request.url ?? "");
  if (target === null) return refused("bad-target");
  if (isOurs(target.plainPath) || !isWebSocketRequest(request, behind)) return refused("not-implemented");
  try {
    const admission = await admit(parts, { request, head, certificate: parts.certificateOf(upgrade) });
    if (!admission.admitted) return refused(admission.problem, admission.rule);
    // Whoever left while a token was verified has nothing to be asked for, and no claim to hold.
    if (socket.destroyed) {
      admission.claim.release();
      return { rule: admission.rule, outcome: "broken" };
    }
    return await followUpgrade(parts, upgrade, admission);
  } catch {
    return refused("fault");
  }
}

async function followUpgrade(parts: Parts, upgrade: Upgrade, admitted: Admitted): Promise<Ending> {
  const { rule, decided, claim } = admitted;
  try {
    const { outcome, agreed, sent: received, received: sent } = await serveUpgrade(parts.pool, upgrade, admitted);
    const status = agreed ? 101 : outcome === "answered" || outcome === "broken" ? null : statusOf(outcome);
    const entry = { principal: decided.principal, rule, method: "GET", path: parts.rulePaths[rule] ?? "" };
    if (decided.audit) parts.accessLog.record({ ...entry, outcome, status, received, sent });
    return { rule, outcome };
  } finally {
    claim.release();
  }
}

type Entry = Omit<AccessEntry, "received" | "sent">;

function entryOf({ rulePaths }: Parts, exchange: Exchange, { rule, decided }: Admitted): Entry {
  const { request, response } = exchange;
  return {
    principal: decided.principal,
    rule,
    method: request.method ?? "",
    path: rulePaths[rule] ?? "",
    outcome: outcomeOf(exchange),
    status: response.headersSent ? response.statusCode : null,
  };
}

/** How a request ended, as far as logs and numbers may know. */
interface Ending {
  readonly rule: number | null;
  readonly outcome: Exchange["outcome"] | "broken";
}

interface RequestLog {
  /** Writes of an exchange when it is over. */
  watch(exchange: Exchange): void;
  write(ending: Ending): void;
}

function outcomeOf({ response, outcome }: Exchange): Exchange["outcome"] | "broken" {
  return response.writableFinished ? outcome : "broken";
}

function createRequestLog({ logs, onEvent, monotonic, metrics }: GatewayOptions): RequestLog {
  const write = ({ rule, outcome }: Ending, started: number | null = null): void => {
    // What no rule let in is anybody's to send: counted, it would let a host find the exact number between two steps.
    if (rule !== null) metrics?.count(metricOf(outcome));
    const ms = started === null ? null : Math.round(monotonic() - started);
    if (logs !== "none") onEvent({ event: "request", rule, outcome, ms });
  };
  return {
    write: (ending) => write(ending),
    watch(exchange) {
      if (logs === "none" && metrics === null) return;
      const started = monotonic();
      exchange.response.once("close", () => write({ rule: exchange.rule, outcome: outcomeOf(exchange) }, started));
    },
  };
}

function metricOf(outcome: ReturnType<typeof outcomeOf>): MetricOutcome {
  if (outcome === "answered" || outcome === "broken") return outcome;
  return statusOf(outcome) < 500 ? "refused" : "failed";
}
