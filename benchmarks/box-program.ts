/**
 * A gateway with its attester and an in-process simulated device, in front of an application that it dials on loopback, or
 * that it has in a sandbox. Beside it, on another port, a plain node:https server with the same kind of certificate.
 */
import { generateKeyPairSync, hash, randomBytes } from "node:crypto";
import { createServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { formatSelfTest, SELF_TEST_PROBES } from "@blindbox/attestation";
import { formatPem, toHex } from "@blindbox/encoding";
import { apiKeyDigest, formatManifest, type Manifest, manifestDigest } from "@blindbox/manifest";
import { formatRelease, type Release, runtimeDigest } from "@blindbox/release";
import { createAttester } from "../packages/enclave/src/attester/index.ts";
import { createDoors } from "../packages/enclave/src/doors.ts";
import { createEgress } from "../packages/enclave/src/egress/index.ts";
import { createAccessLog, createTlsIdentity, type TlsIdentity } from "../packages/enclave/src/gateway/index.ts";
import type { AppUpstream, Attester, EgressRoom, EmitEvent, EvidenceProvider } from "../packages/enclave/src/parts.ts";
import { createSandbox } from "../packages/enclave/src/sandbox/index.ts";
import { issueChain } from "../packages/enclave/src/simulated/device/certificates.ts";
import { createSilicon } from "../packages/enclave/src/simulated/device/silicon.ts";
import { currentSilicon } from "../packages/enclave/src/simulated/index.ts";
import { createSupervisor } from "../packages/enclave/src/supervisor/index.ts";
import { body } from "./body.ts";
import { answerParent } from "./child.ts";

/** An application on 127.0.0.1. */
export interface OpenApp {
  readonly port: number;
}

/** An application that listens at port 80 inside a sandbox. */
export interface SandboxedApp {
  readonly rootfs: string;
  readonly command: readonly string[];
  /** A folder for what the sandbox has to put on disk. */
  readonly scratch: string;
}

export interface BoxSettings {
  readonly app: OpenApp | SandboxedApp;
  /** Milliseconds that the device takes for one report, beside its signature. */
  readonly deviceMs: number;
}

/** Everything that a client has to know. */
export interface BoxReady {
  readonly port: number;
  /** Of the plain node:https server. */
  readonly plainPort: number;
  readonly rootPem: string;
  readonly release: string;
  readonly manifestDigest: string;
  readonly apiKey: string;
}

interface Device {
  readonly provider: EvidenceProvider;
  readonly rootPem: string;
  readonly measurement: Uint8Array;
  reports(): number;
}

async function makeDevice(deviceMs: number): Promise<Device> {
  const makeKey = () => generateKeyPairSync("ec", { namedCurve: "P-384" });
  const identities = await issueChain({ root: makeKey(), intermediate: makeKey(), device: makeKey() }, Date.now());
  const measurement = randomBytes(48);
  const silicon = { ...currentSilicon, delayMs: deviceMs };
  const sign = createSilicon({ silicon, identities, measurement, now: Date.now });
  let reports = 0;
  const getEvidence: EvidenceProvider["getEvidence"] = (binding) => {
    reports += 1;
    return sign(binding);
  };
  const rootPem = formatPem("CERTIFICATE", identities.root.certificate);
  return { provider: { tee: "simulated", getEvidence }, rootPem, measurement, reports: () => reports };
}

function makeManifest(callerKey: string): Manifest {
  return {
    type: "blindbox-manifest/1",
    name: "benchmark",
    app: {
      image: digestOf("image"),
      port: 80,
      user: { uid: 1000, gid: 1000 },
      command: ["/app"],
      workingDir: "/",
      env: {},
      ready: null,
      writable: [],
      resources: { memory: 2 ** 30, cpus: 2000, processes: 128, tmp: 2 ** 26 },
      users: "one",
    },
    access: {
      principals: [{ id: "caller", apiKey: callerKey, audit: false }],
      rules: [{ allow: ["caller"], methods: ["GET"], path: "/**", ...unconditional, limits: wideLimits }],
      mutualTls: null,
    },
    egress: [],
    logs: "none",
    operations: { port: null, health: "live", metrics: "none" },
    audit: { entries: 10_000 },
  };
}

/** Wide enough that no request of a benchmark is refused; they are counted all the same. */
const wideLimits = {
  body: 0,
  requestsPerMinute: 1_000_000,
  totalPerMinute: 100_000_000,
  concurrent: 10_000,
  time: 300,
  response: 104_857_600,
};

const unconditional = { headers: {}, upgrade: "none", audit: false } as const;

function makeRelease(manifest: string, measurement: Uint8Array): Release {
  return {
    type: "blindbox-release/1",
    product: "benchmark",
    channel: "stable",
    version: "1.0.0",
    sequence: 1,
    runtime: {
      type: "blindbox-runtime/1",
      version: "0.1.0",
      tee: "simulated",
      bundle: digestOf("bundle"),
      node: digestOf("node"),
    },
    app: { image: digestOf("image") },
    manifest,
    referenceValues: [{ tee: "simulated", registers: { measurement: toHex(measurement) } }],
    previous: null,
  };
}

function digestOf(text: string): string {
  return `sha256:${hash("sha256", text, "hex")}`;
}

interface AttesterParts {
  readonly device: Device;
  readonly release: Release;
  readonly manifest: string;
  readonly tls: string;
  readonly egress: EgressRoom;
}

async function makeAttester({ device, release, manifest, tls, egress }: AttesterParts): Promise<Attester> {
  const selfTest = formatSelfTest(Object.fromEntries(SELF_TEST_PROBES.map((probe) => [probe, "denied"])));
  const facts = {
    runtime: await runtimeDigest(release.runtime),
    manifest: release.manifest,
    tls,
    sandbox: { driver: "rooted", selfTest: digestOf(selfTest) } as const,
    channel: null,
    audit: null,
  };
  const heads = () => ({ ledger: egress.ledgerHead(), audit: null });
  return createAttester({ provider: device.provider, facts, heads, selfTest, manifest, now: Date.now });
}

/** Resolves when the application takes requests. */
async function startApp(app: BoxSettings["app"], manifest: Manifest, { receiver }: EgressRoom): Promise<AppUpstream> {
  if ("port" in app) return { state: () => "ready", dial: () => dialApp(app.port) };
  const { env, workingDir, user, users, writable, resources, port } = manifest.app;
  const spec = { ...app, env, workingDir, user, users, writable, resources, port, egressPorts: [], trust: null };
  const sandbox = await createSandbox(spec, "rooted", receiver);
  const ready = Promise.withResolvers<void>();
  const onEvent: EmitEvent = ({ event }) => {
    if (event === "app-ready") ready.resolve();
    if (event === "app-down") ready.reject(new Error("the application ended"));
  };
  const supervisor = createSupervisor({ sandbox, ready: null, logs: "none", onEvent });
  await supervisor.start();
  await ready.promise;
  return supervisor;
}

async function dialApp(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  const connected = Promise.withResolvers<void>();
  socket.once("connect", connected.resolve).once("error", connected.reject);
  await connected.promise;
  socket.off("error", connected.reject);
  return socket;
}

async function startPlain({ key, certificate }: TlsIdentity): Promise<number> {
  const server = createServer({ key, cert: certificate, minVersion: "TLSv1.3" }, (_request, response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
    response.end(body);
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  return (server.address() as AddressInfo).port;
}

async function startBox({ app, deviceMs }: BoxSettings): Promise<void> {
  const apiKey = `bb_${randomBytes(32).toString("base64url")}`;
  const [device, identity] = [await makeDevice(deviceMs), await createTlsIdentity(Date.now())];
  const manifest = makeManifest(await apiKeyDigest(apiKey));
  const manifestText = formatManifest(manifest);
  const release = makeRelease(await manifestDigest(manifestText), device.measurement);
  const egress = await createEgress({
    manifest,
    resolvers: null,
    now: Date.now,
    monotonic: () => performance.now(),
    onEvent: () => {},
  });
  const accessLog = createAccessLog({ entries: manifest.audit.entries, now: Date.now });
  const doors = await createDoors({
    manifest,
    identity,
    accessLog,
    attester: await makeAttester({ device, release, manifest: manifestText, tls: identity.spkiDigest, egress }),
    ledger: () => egress.ledger(),
    readKeys: (url) => egress.readKeys(url),
    upstream: await startApp(app, manifest, egress),
    restarts: () => 0,
    onEvent: () => {},
    now: Date.now,
    monotonic: () => performance.now(),
  });
  const ready: BoxReady = {
    port: Number((await doors.listen("127.0.0.1", 0)).split(":")[1]),
    plainPort: await startPlain(await createTlsIdentity(Date.now())),
    rootPem: device.rootPem,
    release: formatRelease(release),
    manifestDigest: release.manifest,
    apiKey,
  };
  answerParent(ready, () => device.reports());
}

await startBox(JSON.parse(process.argv[2] ?? "") as BoxSettings);
