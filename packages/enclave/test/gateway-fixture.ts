/** A whole gateway on a real port, in front of an application and a TEE device that the tests make up. */
import { hash, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { type Access, createAccessDecider, createAuditDecider, type Limits, type Logs } from "@blindbox/manifest";
import { type AttesterLimits, createAttester } from "../src/attester/index.ts";
import {
  createGateway,
  createTlsIdentity,
  type Gateway,
  type GatewayLimits,
  gatewayLimits,
} from "../src/gateway/index.ts";
import type { AppState, BoxEvent, EvidenceProvider } from "../src/parts.ts";

export const aliceKey = `bb_${randomBytes(32).toString("base64url")}`;
export const bobKey = `bb_${randomBytes(32).toString("base64url")}`;

export const wide: Limits = { body: 1_000_000, requestsPerMinute: 1_000_000, concurrent: 1000 };

/** Alice may use everything below /a/ and read the ledger, Bob only read; /open/ is for everybody. */
export const usualAccess: Access = {
  principals: [
    { id: "alice", apiKey: digestOf(aliceKey), audit: true },
    { id: "bob", apiKey: digestOf(bobKey), audit: false },
  ],
  rules: [
    { allow: ["alice"], methods: ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"], path: "/a/**", limits: wide },
    { allow: ["bob"], methods: ["GET"], path: "/a/**", limits: wide },
    { allow: ["anonymous"], methods: ["GET", "HEAD", "POST"], path: "/open/**", limits: wide },
  ],
};

export function digestOf(key: string): string {
  return `sha256:${hash("sha256", key, "hex")}`;
}

/** Signs nothing: its Evidence is the Binding itself, which lets tests see what was asked for. */
export function plainDevice(): EvidenceProvider {
  return { tee: "simulated", getEvidence: async (binding) => ({ evidence: binding, endorsements: { chain: [] } }) };
}

export interface FixtureOptions {
  /** Port of the application on 127.0.0.1. */
  readonly appPort: number;
  /** Where the gateway listens on 127.0.0.1; left out: anywhere. */
  readonly port?: number;
  readonly access?: Access;
  readonly limits?: Partial<GatewayLimits>;
  readonly attesterLimits?: AttesterLimits;
  readonly device?: EvidenceProvider;
  readonly logs?: Logs;
  readonly monotonic?: () => number;
  /** The egress ledger's document. */
  readonly ledger?: () => string;
  readonly dial?: () => Promise<Socket>;
}

export interface Fixture {
  readonly gateway: Gateway;
  readonly port: number;
  readonly spkiDigest: string;
  readonly events: BoxEvent[];
  setState(state: AppState): void;
  close(): Promise<void>;
}

const zero = `sha256:${"0".repeat(64)}`;

export async function startGateway(options: FixtureOptions): Promise<Fixture> {
  let state: AppState = "ready";
  const events: BoxEvent[] = [];
  const identity = await createTlsIdentity(Date.now());
  const attester = await createAttester({
    provider: options.device ?? plainDevice(),
    facts: {
      runtime: zero,
      manifest: zero,
      tls: identity.spkiDigest,
      channel: null,
      audit: null,
      sandbox: { driver: "rooted", selfTest: zero },
    },
    ledgerHead: () => zero,
    selfTest: "{}",
    manifest: "{}",
    now: Date.now,
    ...(options.attesterLimits === undefined ? {} : { limits: options.attesterLimits }),
  });
  const gateway = createGateway({
    identity,
    attester,
    access: createAccessDecider({ access: options.access ?? usualAccess }),
    ledger: {
      auditors: createAuditDecider({ access: options.access ?? usualAccess }),
      document: options.ledger ?? (() => "{}"),
    },
    upstream: { state: () => state, dial: options.dial ?? (() => dialLocal(options.appPort)) },
    logs: options.logs ?? "none",
    onEvent: (event) => events.push(event),
    monotonic: options.monotonic ?? (() => performance.now()),
    limits: { ...gatewayLimits, checkEvery: 20, ...options.limits },
  });
  const address = await gateway.listen("127.0.0.1", options.port ?? 0);
  return {
    gateway,
    port: Number(address.split(":")[1]),
    spkiDigest: identity.spkiDigest,
    events,
    setState: (next) => {
      state = next;
    },
    close: () => gateway.drain(0),
  };
}

export async function dialLocal(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  const connected = Promise.withResolvers<void>();
  socket.once("connect", () => connected.resolve()).once("error", connected.reject);
  await connected.promise;
  socket.off("error", connected.reject);
  return socket;
}
