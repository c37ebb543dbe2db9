/** The composition root: puts the parts of a box together, in the order in which each may trust the one before. */
import { hash } from "node:crypto";
import { createAccessDecider, createAuditDecider, createEgressDecider, type Manifest } from "@blindbox/manifest";
import { createAttester } from "./attester/index.ts";
import { type BoxFiles, readBoxFiles } from "./box-files.ts";
import { createEgress } from "./egress/index.ts";
import { createGateway, createTlsIdentity, type Gateway, type TlsIdentity } from "./gateway/index.ts";
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
    const attester = await makeAttester({ options, files, sandbox, egress, selfTest, identity });
    return await serve({ options, manifest: files.manifest, sandbox, egress, identity, attester });
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
}

function makeAttester({ options, files, sandbox, egress, selfTest, identity }: AttesterParts): Promise<Attester> {
  const facts = {
    runtime: files.runtimeDigest,
    manifest: files.manifestDigest,
    tls: identity.spkiDigest,
    sandbox: { driver: sandbox.driver, selfTest: `sha256:${hash("sha256", selfTest, "hex")}` },
    channel: null,
    audit: null,
  };
  const { provider } = options;
  const ledgerHead = () => egress.ledgerHead();
  return orRefuse("evidence-failed", "without evidence nobody could trust this box: check its TEE device", () =>
    createAttester({ provider, facts, ledgerHead, selfTest, manifest: files.manifestText, now: Date.now }),
  );
}

interface ServingParts {
  readonly options: BoxOptions;
  readonly manifest: Manifest;
  readonly sandbox: Sandbox;
  readonly egress: EgressRoom;
  readonly identity: TlsIdentity;
  readonly attester: Attester;
}

async function serve({ options, manifest, sandbox, egress, identity, attester }: ServingParts): Promise<Box> {
  const { host, port, onEvent } = options;
  const { supervisor, ready } = supervise(sandbox, manifest, onEvent);
  const gateway = createGateway({
    identity,
    attester,
    access: createAccessDecider(manifest),
    ledger: { auditors: createAuditDecider(manifest), document: () => egress.ledger() },
    upstream: supervisor,
    logs: manifest.logs,
    onEvent,
    monotonic: () => performance.now(),
  });
  const listen = await orRefuse("listen-failed", "choose another --listen address", () => gateway.listen(host, port));
  onEvent({ event: "listening", listen, driver: sandbox.driver });
  void ready.then(() => onEvent({ event: "ready", listen, driver: sandbox.driver }));
  const box: Box = { stop: (grace) => stop({ gateway, supervisor, sandbox, egress }, grace) };
  await startApp(supervisor, box);
  return box;
}

/** `ready` resolves when the application is ready for the first time. */
function supervise(
  sandbox: Sandbox,
  { app, logs }: Manifest,
  onEvent: EmitEvent,
): { readonly supervisor: Supervisor; readonly ready: Promise<void> } {
  const ready = Promise.withResolvers<void>();
  const supervisor: Supervisor = createSupervisor({
    sandbox,
    ready: app.ready,
    logs,
    onEvent: (event) => {
      onEvent(event);
      if (supervisor.state() === "ready") ready.resolve();
    },
  });
  return { supervisor, ready: ready.promise };
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
  readonly gateway: Gateway;
  readonly supervisor: Supervisor;
  readonly sandbox: Sandbox;
  readonly egress: EgressRoom;
}

// From the outside in: the application is not disturbed before the last caller has its answer.
async function stop({ gateway, supervisor, sandbox, egress }: RunningParts, grace: StopGrace): Promise<void> {
  await gateway.drain(grace.requests);
  await supervisor.drain(grace.app);
  await supervisor.stop();
  await sandbox.close();
  await egress.close();
}
