/** The doors of a real box, with Evidence of a simulated TEE that a client accepts, around an application of the tests. */
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { formatSelfTest, SELF_TEST_PROBES, SIMULATED_TCB } from "@blindbox/attestation";
import { formatManifest, type Manifest, type Principal } from "@blindbox/manifest";
import { DEFAULT_AUDIT, DEFAULT_LIMITS, DEFAULT_OPERATIONS, DEFAULT_RESOURCES } from "@blindbox/manifest/source";
import { runtimeDigest } from "@blindbox/release";
import { createAttester } from "../../enclave/src/attester/index.ts";
import { createDoors } from "../../enclave/src/doors.ts";
import { type AccessLog, createAccessLog, createTlsIdentity } from "../../enclave/src/gateway/index.ts";
import type { EvidenceProvider } from "../../enclave/src/parts.ts";
import { type FakeApp, startApp } from "../../enclave/test/fake-app.ts";
import { dialLocal } from "../../enclave/test/gateway-fixture.ts";
import { SecureSession, type SessionOptions } from "../src/index.ts";
import { makeWorld, optionsFor, sha256, type World } from "./fake-box/index.ts";

export interface RealBox {
  readonly world: World;
  /** Where callers come in. */
  readonly url: string;
  /** Where callers with a certificate come in; null where the Manifest has no such door. */
  readonly mutualUrl: string | null;
  readonly app: FakeApp;
  readonly accessLog: AccessLog;
  /** A verified session; by way of `mutualUrl` where the credentials have a certificate. */
  connect(credentials: SessionOptions["credentials"], changes?: Partial<SessionOptions>): Promise<SecureSession>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface RealBoxOptions {
  /** The egress ledger's document. */
  readonly ledger?: () => string;
  /** Head of the egress ledger in the Statement. */
  readonly ledgerHead?: () => string | null;
  /** Milliseconds since 1970, as the box has it. */
  readonly now?: () => number;
}

/** A Manifest with one rule for each principal: GET of the path that is its id, recorded. With a door for certificates. */
export function manifestFor(principals: readonly Principal[]): Manifest {
  return {
    type: "blindbox-manifest/1",
    name: "example",
    app: {
      image: `sha256:${"1".repeat(64)}`,
      port: 80,
      user: { uid: 1000, gid: 1000 },
      command: ["/bin/app"],
      workingDir: "/",
      env: {},
      ready: null,
      writable: [],
      resources: DEFAULT_RESOURCES,
      users: "one",
    },
    access: {
      principals,
      rules: principals.map(({ id }) => ({
        allow: [id],
        methods: ["GET"] as const,
        path: `/${id}`,
        headers: {},
        upgrade: "none" as const,
        audit: true,
        limits: DEFAULT_LIMITS,
      })),
      mutualTls: { port: 8444 },
    },
    egress: [],
    logs: "none",
    operations: DEFAULT_OPERATIONS,
    audit: DEFAULT_AUDIT,
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function deviceOf({ vendor, measurement }: World): EvidenceProvider {
  return {
    tee: "simulated",
    async getEvidence(binding) {
      const body = { debug: false, tcb: BigInt(SIMULATED_TCB), measurement, binding, chipId: vendor.chipId };
      return { evidence: await vendor.sign(body), endorsements: vendor.endorsements };
    },
  };
}

/** Starts a box that enforces `manifest`, but for its ports, which other programs of this machine may have. */
export async function startRealBox(manifest: Manifest, options: RealBoxOptions = {}): Promise<RealBox> {
  const world = await makeWorld(formatManifest(manifest));
  const now = options.now ?? Date.now;
  const accessLog = createAccessLog({ entries: manifest.audit.entries, now });
  const identity = await createTlsIdentity(Date.now());
  const selfTest = formatSelfTest(Object.fromEntries(SELF_TEST_PROBES.map((probe) => [probe, "denied"])));
  const attester = await createAttester({
    provider: deviceOf(world),
    facts: {
      runtime: await runtimeDigest(world.release.runtime),
      manifest: world.manifestDigest,
      tls: identity.spkiDigest,
      channel: null,
      sandbox: { driver: "rooted", selfTest: await sha256(selfTest) },
    },
    heads: () => ({ ledger: options.ledgerHead?.() ?? null, audit: accessLog.head() }),
    selfTest,
    manifest: world.manifest,
    now,
  });
  const app = await startApp();
  const mutualTls = manifest.access.mutualTls === null ? null : { port: await freePort() };
  const doors = await createDoors({
    manifest: {
      access: { ...manifest.access, mutualTls },
      operations: { port: null, health: "live", metrics: "none" },
      logs: manifest.logs,
    },
    identity,
    attester,
    accessLog,
    now,
    ledger: options.ledger ?? (() => "{}"),
    readKeys: () => Promise.reject(new Error("there is no way out")),
    upstream: { state: () => "ready", dial: () => dialLocal(app.port) },
    restarts: () => 0,
    onEvent: () => {},
    monotonic: () => performance.now(),
  });
  const url = `https://${await doors.listen("127.0.0.1", 0)}`;
  const mutualUrl = mutualTls === null ? null : `https://127.0.0.1:${mutualTls.port}`;
  return {
    world,
    url,
    mutualUrl,
    app,
    accessLog,
    connect(credentials, changes = {}) {
      const door = "certificate" in credentials && mutualUrl !== null ? mutualUrl : url;
      return SecureSession.connect(door, optionsFor(world, { credentials, ...changes }));
    },
    async [Symbol.asyncDispose]() {
      await doors.drain(0);
      await app.close();
    },
  };
}
