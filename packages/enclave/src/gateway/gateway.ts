/** The only way into the box: from a TLS connection to an answer, for whoever asks. */
import { type AccessDecider, type Logs, readTarget } from "@blindbox/manifest";
import type { Pool } from "undici";
import type { AppUpstream, Attester, EmitEvent } from "../parts.ts";
import { admit, type Admitted, type AdmissionParts } from "./admission.ts";
import { createAllowances } from "./allowances.ts";
import { createAppPool } from "./app-pool.ts";
import { discardRest } from "../request-exchange.ts";
import { boundedBody, declaredLength } from "./body.ts";
import type { TlsIdentity } from "./certificate.ts";
import { type Exchange, refuse } from "./exchange.ts";
import { headFault, readHead, type RequestHead } from "./head.ts";
import { headersForApp } from "./headers.ts";
import type { LedgerEndpointOptions } from "./ledger-endpoint.ts";
import { type GatewayLimits, gatewayLimits } from "./limits.ts";
import { createListener } from "./listener.ts";
import { Relay } from "./relay.ts";
import { createWellKnown, isOurs, type WellKnown } from "./well-known.ts";

export interface GatewayOptions {
  readonly identity: TlsIdentity;
  readonly attester: Attester;
  readonly access: AccessDecider;
  /** The egress ledger, and who may read it. */
  readonly ledger: LedgerEndpointOptions;
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
  /** Takes no new connection or request; resolves when those under way are over, and cuts them after `graceMs`. */
  drain(graceMs: number): Promise<void>;
}

/** Everything that answering one exchange needs. */
interface Parts extends AdmissionParts {
  readonly limits: GatewayLimits;
  readonly pool: Pool;
  readonly wellKnown: WellKnown;
  draining: boolean;
}

export function createGateway(options: GatewayOptions): Gateway {
  const limits = options.limits ?? gatewayLimits;
  const parts: Parts = {
    access: options.access,
    upstream: options.upstream,
    allowances: createAllowances(options.monotonic),
    wellKnown: createWellKnown({
      attester: options.attester,
      ledger: options.ledger,
      maxUnread: limits.pipelinedOwn,
    }),
    pool: createAppPool(options.upstream, limits),
    limits,
    draining: false,
  };
  const log = createRequestLog(options);
  const listener = createListener(options.identity, limits, (exchange) => {
    log(exchange);
    exchange.response.once("finish", () => discardRest(exchange.request, limits));
    exchange.response.once("close", () => parts.draining && listener.closeIdle());
    answer(parts, exchange);
  });
  return {
    listen: (host, port) => listener.listen(host, port),
    async drain(graceMs) {
      parts.draining = true;
      await listener.close(graceMs);
      await parts.pool.destroy();
    },
  };
}

/** The order is that of trust: form, then what is ours, then who asks, and only then the application. */
function answer(parts: Parts, exchange: Exchange): void {
  const { request } = exchange;
  const head = readHead(request.rawHeaders);
  const fault = parts.draining ? "draining" : headFault(request, head, parts.limits.headerCount);
  if (fault !== null) return refuse(exchange, fault);
  const target = readTarget(request.url ?? "");
  if (target === null) return refuse(exchange, "bad-target");
  if (isOurs(target.plainPath)) return parts.wellKnown.answer(target.plainPath, exchange);
  const admission = admit(parts, request, head);
  exchange.rule = admission.rule;
  if (admission.admitted) return forward(parts, exchange, head, admission);
  return refuse(exchange, admission.problem, admission.headers);
}

function forward(parts: Parts, exchange: Exchange, head: RequestHead, admitted: Admitted): void {
  const { request, response } = exchange;
  response.once("close", () => admitted.claim.release());
  const relay = new Relay({
    response,
    draining: () => parts.draining,
    appLives: () => parts.upstream.state() === "ready",
    limits: parts.limits,
    onProblem: (code) => {
      exchange.outcome = code;
    },
  });
  exchange.wantsBody();
  const { method = "", url = "" } = request;
  const body = declaredLength(request) === 0 ? null : boundedBody(request, admitted.bodyLimit);
  const headers = headersForApp(request.rawHeaders, head, admitted.passesAuthorization);
  parts.pool.dispatch({ method, path: url, headers, body }, relay);
}

function createRequestLog({ logs, onEvent, monotonic }: GatewayOptions): (exchange: Exchange) => void {
  if (logs === "none") return () => {};
  return (exchange) => {
    const started = monotonic();
    exchange.response.once("close", () => {
      const { rule, response } = exchange;
      const outcome = response.writableFinished ? exchange.outcome : "broken";
      onEvent({ event: "request", rule, outcome, ms: Math.round(monotonic() - started) });
    });
  };
}
