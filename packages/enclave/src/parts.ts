/**
 * What the rooms of the enclave know of each other: types only. The rooms never import one another; `start.ts` puts the
 * parts together.
 */
import type { Socket as DatagramSocket } from "node:dgram";
import type { Server as NetServer, Socket } from "node:net";
import type { Readable } from "node:stream";
import type { TeeKind } from "@blindbox/attestation";
import type { JsonValue } from "@blindbox/encoding";

/** The TEE's device, reduced to the one thing that the box asks of it. */
export interface EvidenceProvider {
  readonly tee: TeeKind;
  /**
   * Has the TEE sign `binding` (64 bytes) and returns the Evidence with the Endorsements that authenticate it.
   * Rejects when the device is out of reach or refuses.
   */
  getEvidence(binding: Uint8Array): Promise<DeviceEvidence>;
}

/** One answer of the device. `endorsements` is read strictly by the verifier of that TEE. */
export interface DeviceEvidence {
  readonly evidence: Uint8Array;
  readonly endorsements: JsonValue;
}

/** Gives Evidence to callers. Both rejections and their reasons are the box's own affair: no Evidence can be had now. */
export interface Attester {
  /**
   * An Evidence document whose challenge covers `leaf` (32 bytes, the leaf hash of one nonce on one connection). Rejects
   * when the device fails, or when more callers wait than the queue takes.
   */
  attest(leaf: Uint8Array): Promise<string>;
  /** The last Evidence document, without proof: for monitors, who get no freshness. */
  latest(): Promise<string>;
}

/** Which way of making the sandbox is wanted; `auto` takes the strongest that this machine allows. */
export type DriverChoice = "auto" | Driver;

/** The ways of making the sandbox; the one in force is named in the Statement. */
export type Driver = "rooted" | "unprivileged";

/** Ids are those inside the sandbox. */
export interface AppUser {
  readonly uid: number;
  readonly gid: number;
}

/** `memory` and `tmp` in bytes, `cpus` in thousandths of a CPU, `processes` counts threads too. */
export interface AppResources {
  readonly memory: number;
  readonly cpus: number;
  readonly processes: number;
  readonly tmp: number;
}

/** Everything that the sandbox is told of the application; nothing is inherited from the box's own process. */
export interface SandboxSpec {
  /** Absolute path of the flattened root file system, used read-only. */
  readonly rootfs: string;
  readonly command: readonly string[];
  /** The whole environment of the application. */
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly user: AppUser;
  /** Absolute paths inside the sandbox that get an empty, writable tmpfs. */
  readonly writable: readonly string[];
  readonly resources: AppResources;
  /** Where the application listens inside its own network. */
  readonly port: number;
  /** Absolute path of a directory that the driver may use for what it has to put on disk. */
  readonly scratch: string;
  /** `many`: the application may change to other users of its image. Only the rooted driver can. */
  readonly users: "one" | "many";
  /** TCP ports on which the gate listens, on every address that the application may dial; without 53. */
  readonly egressPorts: readonly number[];
  /** PEM of the certificates that the application is to trust beside those of its image; null where there are none. */
  readonly trust: string | null;
}

/**
 * Takes what the application sends out. The sockets were made in the gate's network and nothing was read from them; the
 * sandbox forgets them. After the gate was made anew there are new ones.
 */
export interface EgressReceiver {
  /** Listens on one port of `egressPorts` in the gate. `localAddress` of a connection is what the application dialled. */
  listener(server: NetServer): void;
  /** Listens on TCP port 53 of the gate's own address. */
  dnsListener(server: NetServer): void;
  /** Bound to UDP port 53 of the gate's own address. */
  dnsSocket(socket: DatagramSocket): void;
}

/** Decides everything that leaves the box: on the application's behalf, and for the keys of token issuers. */
export interface EgressRoom {
  readonly receiver: EgressReceiver;
  /** PEM of the per-boot authority that ends the application's TLS; null where no rule is `verified`. */
  readonly authority: string | null;
  /** `sha256:<hex>`: head of the ledger now. */
  ledgerHead(): string;
  /** The ledger's document, as text. */
  ledger(): string;
  /**
   * Asks for the JWK set at `url`, by which callers' tokens are verified: the one request that is the box's own. It is
   * decided by the application's rules, in mode `verified` only, and stands in the ledger. Resolves with the bytes of the
   * answer, at most 64 KiB within 10 s; rejects for whatever else becomes of it, a redirect included.
   */
  readKeys(url: string): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** What one probe of the self-test met; only `denied` lets the box start. */
export type ProbeResult = "denied" | "allowed";

/** What holds the application. */
export interface Sandbox {
  readonly driver: Driver;
  /** Runs every probe of the closed list inside the sandbox, before the application is started. */
  selfTest(): Promise<Readonly<Record<string, ProbeResult>>>;
  /** Starts the application once; a later call, after it exited, starts it anew. */
  start(): Promise<AppProcess>;
  /** Returns a connected TCP socket to the application's port, made inside the sandbox's network. */
  dial(): Promise<Socket>;
  /** Ends everything inside and takes the namespaces down. */
  close(): Promise<void>;
}

/** The running application. Both streams must be read, or the application blocks on its own output. */
export interface AppProcess {
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<AppExit>;
  /** SIGTERM, then SIGKILL after `graceMs` milliseconds; resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
}

export interface AppExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Requests reach the application only while the state is `ready`. */
export type AppState = "starting" | "ready" | "down" | "draining";

/** The application as the gateway sees it. */
export interface AppUpstream {
  state(): AppState;
  /** Rejects when the application does not accept connections. */
  dial(): Promise<Socket>;
}

/** Keeps the application running, knows whether it is ready, and drains its output. */
export interface Supervisor extends AppUpstream {
  /** Starts the application; resolves without waiting for it to be ready. */
  start(): Promise<void>;
  /** State `draining` from now on; then asks the application to end, and kills it after `graceMs` milliseconds. */
  drain(graceMs: number): Promise<void>;
  stop(): Promise<void>;
}

/**
 * One line of the box's own log: a code and facts that BlindBox chose itself. Never a secret, a token, a body, a request
 * target, or any text that the application or a caller chose.
 */
export interface BoxEvent {
  readonly event: string;
  readonly [fact: string]: string | number | boolean | null;
}

export type EmitEvent = (event: BoxEvent) => void;
