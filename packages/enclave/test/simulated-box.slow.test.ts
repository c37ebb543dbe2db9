import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { hash, randomBytes, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import {
  createVerifier,
  EVIDENCE_PATH,
  EXPORTER_LABEL,
  formatAttestationRequest,
  LEDGER_PATH,
  parseLedger,
  simulated,
  strictPolicy,
} from "@blindbox/attestation";
import { canonicalJson, toHex } from "@blindbox/encoding";
import { formatManifest, jwkThumbprint, type Manifest } from "@blindbox/manifest";
import { DEFAULT_LIMITS } from "@blindbox/manifest/source";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type DeviceFixture, startDevice } from "./device-fixture.ts";
import { type NameServer, startNameServer } from "./fixtures-egress/name-server.ts";
import { aliceKey, digestOf } from "./gateway-fixture.ts";
import { temporaryFolder } from "./oci-image.ts";
import { call, openTls, problemCode, receive } from "./tls-caller.ts";
import { issuerKey, termsOf, token } from "./token-issuer.ts";

const busybox = "/usr/bin/busybox";
const possible = process.platform === "linux" && existsSync("/usr/bin/bwrap") && existsSync(busybox) && canUnshare();

function canUnshare(): boolean {
  try {
    execFileSync("unshare", ["--net", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const limits = { ...DEFAULT_LIMITS, body: 1000, requestsPerMinute: 1000, concurrent: 10 };
const staffKey = issuerKey("ES256");
const published = { url: "https://idp.test/keys", thumbprints: [await jwkThumbprint(staffKey.jwk)] };
const manifest: Manifest = {
  type: "blindbox-manifest/1",
  name: "files",
  app: {
    image: `sha256:${"a".repeat(64)}`,
    port: 80,
    user: { uid: 1000, gid: 1000 },
    command: ["/bin/busybox", "httpd", "-f", "-p", "80", "-h", "/www"],
    workingDir: "/",
    env: { PATH: "/bin" },
    ready: null,
    writable: [],
    resources: { memory: 268_435_456, cpus: 1000, processes: 64, tmp: 16_777_216 },
    users: "one",
  },
  access: {
    principals: [
      { id: "alice", apiKey: digestOf(aliceKey), audit: true },
      { id: "staff", jwt: termsOf([staffKey], { keys: published }), audit: false },
    ],
    rules: [
      {
        allow: ["alice", "staff"],
        methods: ["GET", "POST"],
        path: "/**",
        headers: {},
        upgrade: "none",
        audit: false,
        limits,
      },
    ],
    mutualTls: null,
  },
  egress: [
    {
      mode: "verified",
      host: "idp.test",
      ports: [443],
      methods: ["GET"],
      paths: ["/keys"],
      websocket: false,
      pins: [],
      roots: null,
    },
  ],
  logs: "metadata",
  operations: { port: null, health: "live", metrics: "none" },
  audit: { entries: 10_000 },
};
const runtime = canonicalJson({
  type: "blindbox-runtime/1",
  version: "0.1.0",
  tee: "simulated",
  bundle: `sha256:${"b".repeat(64)}`,
  node: `sha256:${"c".repeat(64)}`,
});

/** A box's folder with an application that serves one file. */
async function writeBox(changes: Partial<Manifest["app"]> = {}): Promise<string> {
  const root = await temporaryFolder();
  mkdirSync(join(root, "app/rootfs/bin"), { recursive: true });
  mkdirSync(join(root, "app/rootfs/www"), { recursive: true });
  copyFileSync(busybox, join(root, "app/rootfs/bin/busybox"));
  for (const folder of [root, join(root, "app"), join(root, "app/rootfs")]) execFileSync("chmod", ["755", folder]);
  writeFileSync(join(root, "app/rootfs/www/hello"), "hello from inside\n");
  writeFileSync(join(root, "manifest.json"), formatManifest({ ...manifest, app: { ...manifest.app, ...changes } }));
  writeFileSync(join(root, "runtime.json"), runtime);
  return root;
}

interface RunningBox {
  readonly child: ChildProcess;
  readonly events: Record<string, unknown>[];
  readonly exit: Promise<number | null>;
}

function startBox(root: string, socket: string, resolver = "127.0.0.1:1"): RunningBox {
  const entry = fileURLToPath(new URL("../src/simulated/main.ts", import.meta.url));
  const places = ["--root", root, "--scratch", join(root, "scratch"), "--device", socket];
  const args = [...places, "--listen", "127.0.0.1:0", "--resolver", resolver];
  const child = spawn(process.execPath, ["--conditions=blindbox-source", entry, ...args], {
    env: {},
    stdio: ["ignore", "pipe", "inherit"],
  });
  const events: Record<string, unknown>[] = [];
  createInterface(child.stdout).on("line", (line) => events.push(JSON.parse(line) as Record<string, unknown>));
  return { child, events, exit: once(child, "close").then(([code]) => code as number | null) };
}

function portOf({ events }: RunningBox): number {
  const ready = events.find(({ event }) => event === "ready");
  return Number(String(ready?.["listen"]).split(":").at(-1));
}

async function attest(socket: TLSSocket): Promise<{ nonce: Uint8Array; document: string }> {
  const nonce = new Uint8Array(randomBytes(32));
  const body = formatAttestationRequest({ binding: "tls-exporter", nonce });
  const answered = receive(socket, /\r\n\r\n\{[^]*\}$/);
  socket.write(`POST ${EVIDENCE_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  const text = await answered;
  return { nonce, document: text.slice(text.indexOf("\r\n\r\n") + 4) };
}

describe.skipIf(!possible)("a whole simulated box (needs Linux namespaces, bubblewrap and busybox)", () => {
  let device: DeviceFixture;
  let box: RunningBox;
  let names: NameServer;

  beforeAll(async () => {
    device = await startDevice();
    names = await startNameServer();
    names.answers = { "idp.test": { a: ["127.0.0.1"] } };
    box = startBox(await writeBox(), device.socket, names.server);
    await vi.waitFor(() => expect(box.events.map(({ event }) => event)).toContain("ready"), 30_000);
  });
  afterAll(async () => {
    box.child.kill("SIGKILL");
    await device.device.close();
    await names.close();
  });

  it("is attested on the connection that the request then takes", async () => {
    const socket = await openTls(portOf(box));
    const { nonce, document } = await attest(socket);
    const verifier = createVerifier({
      tees: [simulated({ root: await readFile(join(device.state, "root.pem"), "utf8") })],
      referenceValues: [
        {
          tee: "simulated",
          registers: { measurement: toHex(device.image.measurement) },
          manifest: `sha256:${hash("sha256", formatManifest(manifest))}`,
          runtime: `sha256:${hash("sha256", runtime)}`,
          release: "test",
        },
      ],
      policy: strictPolicy,
      now: () => new Date(),
    });
    const certificate = new X509Certificate(socket.getPeerX509Certificate()?.raw ?? Buffer.alloc(0));
    const result = await verifier.verify({
      document,
      nonce,
      channel: { binding: "tls-exporter", exporter: socket.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0)) },
      peerKey: { tlsSpki: certificate.publicKey.export({ format: "der", type: "spki" }) },
    });
    expect(result.findings.filter(({ status }) => status === "failed")).toEqual([]);
    expect(result.status).toBe("warning");
    const answered = receive(socket, "hello from inside");
    socket.write(`GET /hello HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${aliceKey}\r\n\r\n`);
    expect(await answered).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    socket.destroy();
  });

  it("lets nobody else through", async () => {
    expect(problemCode(await call(portOf(box), "/hello"))).toBe("unauthenticated");
  });

  it("says on its output what it is, and nothing that a caller or the application chose", () => {
    expect(box.events.filter(({ event }) => event !== "request")).toMatchObject([
      { event: "egress", rules: 1, verified: true },
      { event: "sandbox", driver: expect.any(String) },
      { event: "listening", listen: expect.stringMatching(/^127\.0\.0\.1:\d+$/) },
      { event: "app-started" },
      { event: "app-ready" },
      { event: "ready", listen: expect.stringMatching(/^127\.0\.0\.1:\d+$/), driver: expect.any(String) },
    ]);
    expect(JSON.stringify(box.events)).not.toMatch(/hello|alice|bb_/);
  });

  it("asks for an issuer's keys when a token comes, by its own rules and never at an address that is not public", async () => {
    const asked = async (bearer: string): Promise<string> =>
      problemCode(await call(portOf(box), "/hello", { headers: { authorization: `Bearer ${bearer}` } }));
    expect(names.asked).toEqual([]);
    for (const sub of ["a", "b", "c"]) {
      expect(await asked(token(staffKey, { claims: { sub } }))).toBe("unauthenticated");
    }
    expect(names.asked.toSorted()).toEqual(["A idp.test", "AAAA idp.test"]);
    const { body } = await call(portOf(box), LEDGER_PATH, { key: aliceKey });
    // Before them stand the attempts of the box's own self-test.
    const records = parseLedger(body).records.map(({ verdict, rule, host }) => [verdict, rule, host]);
    expect(records.slice(records.findIndex(([verdict]) => verdict === "keys-requested"))).toEqual([
      ["keys-requested", 0, "idp.test"],
      ["refused-address-not-public", 0, "idp.test"],
    ]);
    expect(box.events.filter(({ event }) => event === "token-keys")).toEqual([
      { event: "token-keys", read: false, known: 0 },
    ]);
  });

  it("ends when told to, with nothing left behind", async () => {
    const port = portOf(box);
    box.child.kill("SIGTERM");
    expect(await box.exit).toBe(0);
    expect(box.events.at(-1)).toEqual({ event: "stopped" });
    await expect(openTls(port)).rejects.toThrow(/ECONNREFUSED/);
  });

  it("does not start without its device", async () => {
    const refused = startBox(await writeBox(), "/nowhere/device.sock");
    expect(await refused.exit).toBe(1);
    expect(refused.events.at(-1)).toMatchObject({ event: "refused", code: "evidence-failed" });
    expect(refused.events.map(({ event }) => event)).not.toContain("listening");
  });

  it("does not start with an application that is not there", async () => {
    const refused = startBox(await writeBox({ command: ["/bin/nothing"] }), device.socket);
    expect(await refused.exit).toBe(1);
    expect(refused.events.at(-1)).toMatchObject({ event: "refused", code: "app-not-started" });
    expect(refused.events.map(({ event }) => event)).not.toContain("ready");
  });
});
