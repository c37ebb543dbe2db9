/** The doors of a box: for callers, for callers with certificates, and for whoever runs it. Put together here. */
import { ACCESS_LOG_MEDIA_TYPE, ACCESS_LOG_PATH, LEDGER_MEDIA_TYPE, LEDGER_PATH } from "@blindbox/attestation";
import { createAccessDecider, type Manifest, tokenIssuers } from "@blindbox/manifest";
import {
  type AccessLog,
  createCallers,
  createGateway,
  createMetrics,
  createOperations,
  createTokenVerifier,
  type Gateway,
  type GatewayLimits,
  type Operations,
  type TlsIdentity,
} from "./gateway/index.ts";
import type { AppUpstream, Attester, EmitEvent } from "./parts.ts";

export interface DoorsOptions {
  readonly manifest: Pick<Manifest, "access" | "operations" | "logs">;
  readonly identity: TlsIdentity;
  readonly attester: Attester;
  readonly accessLog: AccessLog;
  /** The egress ledger's document. */
  readonly ledger: () => string;
  /** `EgressRoom.readKeys`. */
  readonly readKeys: (url: string) => Promise<Uint8Array>;
  readonly upstream: AppUpstream;
  /** How often the application was started anew. */
  readonly restarts: () => number;
  readonly onEvent: EmitEvent;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds of a clock that never goes back. */
  readonly monotonic: () => number;
  /** Left out: the gateway's own. */
  readonly limits?: GatewayLimits;
}

/** Every listener of a box. */
export interface Doors {
  /** Opens all doors that the Manifest has; resolves with the address of the callers' one. */
  listen(host: string, port: number): Promise<string>;
  /** Takes nobody any more, and resolves when nobody is left; cuts who is left after `graceMs`. */
  drain(graceMs: number): Promise<void>;
}

/** The doors of a box with this Manifest, all closed. */
export async function createDoors(options: DoorsOptions): Promise<Doors> {
  const { access, operations } = options.manifest;
  const gateway = await gatewayOf(options);
  const forHost = operations.port === null ? null : operationsOf(options, gateway);
  return {
    async listen(host, port) {
      const address = await gateway.gateway.listen(host, port);
      if (access.mutualTls !== null) await gateway.gateway.listenMutual(host, access.mutualTls.port);
      if (forHost !== null && operations.port !== null) await forHost.listen(host, operations.port);
      return address;
    },
    async drain(graceMs) {
      await gateway.gateway.drain(graceMs);
      await forHost?.close();
    },
  };
}

interface CallersDoor {
  readonly gateway: Gateway;
  readonly metrics: ReturnType<typeof createMetrics> | null;
}

async function gatewayOf({ manifest, ...options }: DoorsOptions): Promise<CallersDoor> {
  const { identity, attester, accessLog, ledger, readKeys, upstream, onEvent, now, monotonic } = options;
  const access = await createAccessDecider(manifest);
  const issuers = await tokenIssuers(manifest);
  const metrics = manifest.operations.metrics === "coarse" ? createMetrics() : null;
  const callers = createCallers({
    access,
    tokens: createTokenVerifier({ issuers, readKeys, onEvent, monotonic }),
    takesTokens: issuers.length > 0,
    now: () => Math.floor(now() / 1000),
  });
  const gateway = createGateway({
    identity,
    attester,
    access,
    callers,
    accessLog,
    upstream,
    onEvent,
    monotonic,
    metrics,
    rulePaths: manifest.access.rules.map(({ path }) => path),
    sharedRules: manifest.access.rules.map(({ allow }) => allow.length > 1),
    documents: new Map([
      [LEDGER_PATH, { mediaType: LEDGER_MEDIA_TYPE, text: ledger }],
      [ACCESS_LOG_PATH, { mediaType: ACCESS_LOG_MEDIA_TYPE, text: () => accessLog.document() }],
    ]),
    logs: manifest.logs,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  return { gateway, metrics };
}

function operationsOf({ manifest, upstream, restarts }: DoorsOptions, { gateway, metrics }: CallersDoor): Operations {
  return createOperations({
    health: manifest.operations.health,
    draining: () => gateway.draining(),
    appReady: () => upstream.state() === "ready",
    restarts,
    metrics,
  });
}
