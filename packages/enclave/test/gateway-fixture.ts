/** A whole gateway on a real port, in front of an application and a TEE device that the tests make up. */
import { hash, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import type { Access, AccessRule, Limits, Logs, Operations } from "@blindbox/manifest";
import { DEFAULT_LIMITS } from "@blindbox/manifest/source";
import { type AttesterLimits, createAttester } from "../src/attester/index.ts";
import { createDoors, type Doors } from "../src/doors.ts";
import {
  type AccessLog,
  createAccessLog,
  createTlsIdentity,
  type GatewayLimits,
  gatewayLimits,
} from "../src/gateway/index.ts";
import type { AppState, BoxEvent, EvidenceProvider } from "../src/parts.ts";

export const aliceKey = `bb_${randomBytes(32).toString("base64url")}`;
export const bobKey = `bb_${randomBytes(32).toString("base64url")}`;

export const wide: Limits = { ...DEFAULT_LIMITS, body: 1_000_000, requestsPerMinute: 1_000_000, concurrent: 1000 };

/** Rules of access in which only what a test is about has to stand. */
const DEFAULT_OPERATIONS: Operations = { port: null, health: "live", metrics: "none" };

export interface AccessInPart extends Pick<Access, "principals"> {
  readonly mutualTls?: Access["mutualTls"];
  readonly rules: readonly (Pick<AccessRule, "allow" | "methods" | "path"> &
    Partial<Omit<AccessRule, "limits">> & { readonly limits: Partial<Limits> })[];
}

/** Alice may use everything below /a/ and read the ledger, Bob only read; /open/ is for everybody. */
export const usualAccess: AccessInPart = {
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
  readonly access?: AccessInPart;
  readonly limits?: Partial<GatewayLimits>;
  readonly attesterLimits?: AttesterLimits;
  readonly device?: EvidenceProvider;
  readonly logs?: Logs;
  readonly monotonic?: () => number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly operations?: Partial<Operations>;
  /** Records that the access log keeps. */
  readonly entries?: number;
  /** The egress ledger's document. */
  readonly ledger?: () => string;
  /** How issuers' keys are read; left out: not at all. */
  readonly readKeys?: (url: string) => Promise<Uint8Array>;
  readonly dial?: () => Promise<Socket>;
}

export interface Fixture {
  readonly doors: Doors;
  readonly accessLog: AccessLog;
  readonly port: number;
  readonly spkiDigest: string;
  readonly events: BoxEvent[];
  setState(state: AppState): void;
  close(): Promise<void>;
}

function wholeAccess({ principals, rules, mutualTls = null }: AccessInPart): Access {
  const closed = { headers: {}, upgrade: "none", audit: false } as const;
  return {
    principals,
    rules: rules.map((rule) => ({ ...closed, ...rule, limits: { ...DEFAULT_LIMITS, ...rule.limits } })),
    mutualTls,
  };
}

const zero = `sha256:${"0".repeat(64)}`;

export async function startGateway(options: FixtureOptions): Promise<Fixture> {
  let state: AppState = "ready";
  const events: BoxEvent[] = [];
  const accessLog = createAccessLog({ entries: options.entries ?? 1000, now: options.now ?? Date.now });
  const identity = await createTlsIdentity(Date.now());
  const attester = await createAttester({
    provider: options.device ?? plainDevice(),
    facts: {
      runtime: zero,
      manifest: zero,
      tls: identity.spkiDigest,
      channel: null,
      sandbox: { driver: "rooted", selfTest: zero },
    },
    heads: () => ({ ledger: zero, audit: accessLog.head() }),
    selfTest: "{}",
    manifest: "{}",
    now: Date.now,
    ...(options.attesterLimits === undefined ? {} : { limits: options.attesterLimits }),
  });
  const access = wholeAccess(options.access ?? usualAccess);
  const operations = { ...DEFAULT_OPERATIONS, ...options.operations };
  const doors = await createDoors({
    manifest: { access, operations, logs: options.logs ?? "none" },
    identity,
    attester,
    accessLog,
    ledger: options.ledger ?? (() => "{}"),
    readKeys: options.readKeys ?? (() => Promise.reject(new Error("there is no way out"))),
    upstream: { state: () => state, dial: options.dial ?? (() => dialLocal(options.appPort)) },
    restarts: () => 3,
    onEvent: (event) => events.push(event),
    now: options.now ?? Date.now,
    monotonic: options.monotonic ?? (() => performance.now()),
    limits: { ...gatewayLimits, checkEvery: 20, ...options.limits },
  });
  const address = await doors.listen("127.0.0.1", options.port ?? 0);
  return {
    doors,
    accessLog,
    port: Number(address.split(":")[1]),
    spkiDigest: identity.spkiDigest,
    events,
    setState: (next) => {
      state = next;
    },
    close: () => doors.drain(0),
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
