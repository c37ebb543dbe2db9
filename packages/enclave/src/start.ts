/** The composition root: puts the parts of a box together, in the order in which each may trust the one before. */
import { hash } from "node:crypto";
import { createEgressDecider, type Manifest } from "@blindbox/manifest";
import { createAttester } from "./attester/index.ts";
import { type BoxFiles, readBoxFiles } from "./box-files.ts";
import { createEgress } from "./egress/index.ts";
import { createDoors, type Doors } from "./doors.ts";
import { type AccessLog, createAccessLog, createTlsIdentity, type TlsIdentity } from "./gateway/index.ts";
import type {
  Attester,
  DriverChoice,
  EgressRoom,
  EmitEvent,
  EvidenceProvider,
  Sandbox,
  SandboxSpec,
  Supervisor,
} from "./parts.ts";
import { orRefuse } from "./refusal.ts";
import { createSandbox } from "./sandbox/index.ts";
import { demandTightSandbox } from "./self-test.ts";
import { createSupervisor } from "./supervisor/index.ts";

export interface BoxOptions {
  readonly root: string;
  readonly host: string;
  readonly port: number;
  readonly driver: DriverChoice;
  readonly scratch: string;
  /** Resolvers that the box asks for the addresses of allowed names, `address` or `address:port`; null: the machine's. */
  readonly resolvers: readonly string[] | null;
  readonly provider: EvidenceProvider;
  readonly onEvent: EmitEvent;
}

/** A box that listens. */
export interface Box {
  /** Lets requests under way finish, then ends the application and the sandbox. */
  stop(grace: StopGrace): Promise<void>;
}

/** Milliseconds after which each is cut off. */
export interface StopGrace {
  readonly requests: number;
  readonly app: number;
}

/**
 * Starts a box: sandbox, self-test, Evidence, application, listener. Emits `listening`, and `ready` when the application
 * is ready for the first time.
 *
 * @throws RefusalError for whatever is not as it must be; nothing is left running then.
 */
export async function startBox(options: BoxOptions): Promise<Box> {
  const files = await readBoxFiles(options.root, options.provider.tee);
  const egress = await makeEgress(options, files.manifest);
  try {
    return await startAround({ options, files, egress });
  } catch (error) {
    await egress.close();
    throw error;
  }
}

interface Surroundings {
  readonly options: BoxOptions;
  readonly files: BoxFiles;
  readonly egress: EgressRoom;
}

async function startAround({ options, files, egress }: Surroundings): Promise<Box> {
  const sandbox = await makeSandbox(options, files, egress);
  try {
    const selfTest = await demandTightSandbox(sandbox);
    const identity = await createTlsIdentity(Date.now());
    const accessLog = createAccessLog({ entries: files.manifest.audit.entries, now: Date.now });
    const attester = await makeAttester({ options, files, sandbox, egress, selfTest, identity, accessLog });
    return await serve({ options, manifest: files.manifest, sandbox, egress, identity, attester, accessLog });
  } catch (error) {
    await sandbox.close();
    throw error;
  }
}

function makeEgress({ resolvers, onEvent }: BoxOptions, manifest: Manifest): Promise<EgressRoom> {
  return orRefuse("egress-failed", "check the manifest's egress", () =>
    createEgress({ manifest, resolvers, now: Date.now, monotonic: () => performance.now(), onEvent }),
  );
}

async function makeSandbox(
  { scratch, driver, onEvent }: BoxOptions,
  { manifest, rootfs }: BoxFiles,
  egress: EgressRoom,
): Promise<Sandbox> {
  const { command, env, workingDir, user, users, writable, resources, port } = manifest.app;
  const app = { command, env, workingDir, user, users, writable, resources, port };
  const { ports: egressPorts } = createEgressDecider(manifest);
  const spec: SandboxSpec = { ...app, rootfs, scratch, egressPorts, trust: egress.authority };
  return orRefuse("sandbox-failed", "the box needs Linux namespaces, as root or as an unprivileged user", async () => {
    const sandbox = await createSandbox(spec, driver, egress.receiver);
    onEvent({ event: "sandbox", driver: sandbox.driver, ...sandbox.limits });
    return sandbox;
  });
}

interface AttesterParts {
  readonly options: BoxOptions;
  readonly files: BoxFiles;
  readonly sandbox: Sandbox;
  readonly egress: EgressRoom;
  readonly selfTest: string;
  readonly identity: TlsIdentity;
  readonly accessLog: AccessLog;
}

function makeAttester({
  options,
  files,
  sandbox,
  egress,
  selfTest,
  identity,
  accessLog,
}: AttesterParts): Promise<Attester> {
  const facts = {
    runtime: files.runtimeDigest,
    manifest: files.manifestDigest,
    tls: identity.spkiDigest,
    sandbox: { driver: sandbox.driver, selfTest: `sha256:${hash("sha256", selfTest, "hex")}` },
    channel: null,
  };
  const { provider } = options;
  const heads = () => ({ ledger: egress.ledgerHead(), audit: accessLog.head() });
  return orRefuse("evidence-failed", "without evidence nobody could trust this box: check its TEE device", () =>
    createAttester({ provider, facts, heads, selfTest, manifest: files.manifestText, now: Date.now }),
  );
}

interface ServingParts {
  readonly options: BoxOptions;
  readonly manifest: Manifest;
  readonly sandbox: Sandbox;
  readonly egress: EgressRoom;
  readonly identity: TlsIdentity;
  readonly attester: Attester;
  readonly accessLog: AccessLog;
}

async function serve({
  options,
  manifest,
  sandbox,
  egress,
  identity,
  attester,
  accessLog,
}: ServingParts): Promise<Box> {
  const { host, port, onEvent } = options;
  const { supervisor, ready, restarts } = supervise(sandbox, manifest, onEvent);
  const doors = await createDoors({
    manifest,
    identity,
    attester,
    accessLog,
    restarts,
    onEvent,
    ledger: () => egress.ledger(),
    readKeys: (url) => egress.readKeys(url),
    upstream: supervisor,
    now: Date.now,
    monotonic: () => performance.now(),
  });
  const listen = await orRefuse("listen-failed", "choose another --listen address", () => doors.listen(host, port));
  onEvent({ event: "listening", listen, driver: sandbox.driver });
  void ready.then(() => onEvent({ event: "ready", listen, driver: sandbox.driver }));
  const box: Box = { stop: (grace) => stop({ doors, supervisor, sandbox, egress }, grace) };
  await startApp(supervisor, box);
  return box;
}

/** `ready` resolves when the application is ready for the first time. */
function supervise(
  sandbox: Sandbox,
  { app, logs }: Manifest,
  onEvent: EmitEvent,
): { readonly supervisor: Supervisor; readonly ready: Promise<void>; readonly restarts: () => number } {
  const ready = Promise.withResolvers<void>();
  let starts = 0;
  const supervisor: Supervisor = createSupervisor({
    sandbox,
    ready: app.ready,
    logs,
    onEvent: (event) => {
      onEvent(event);
      if (event.event === "app-started") starts += 1;
      if (supervisor.state() === "ready") ready.resolve();
    },
  });
  return { supervisor, ready: ready.promise, restarts: () => Math.max(0, starts - 1) };
}

async function startApp(supervisor: Supervisor, box: Box): Promise<void> {
  try {
    await orRefuse("app-not-started", "check the manifest's command, user and resources", () => supervisor.start());
  } catch (error) {
    await box.stop({ requests: 0, app: 0 });
    throw error;
  }
}

interface RunningParts {
  readonly doors: Doors;
  readonly supervisor: Supervisor;
  readonly sandbox: Sandbox;
  readonly egress: EgressRoom;
}

// From the outside in: the application is not disturbed before the last caller has its answer.
async function stop({ doors, supervisor, sandbox, egress }: RunningParts, grace: StopGrace): Promise<void> {
  await doors.drain(grace.requests);
  await supervisor.drain(grace.app);
  await supervisor.stop();
  await sandbox.close();
  await egress.close();
}
