import { hash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SELF_TEST_PROBES } from "@blindbox/attestation";
import { canonicalJson, type JsonValue } from "@blindbox/encoding";
import { formatManifest, type Manifest } from "@blindbox/manifest";
import { DEFAULT_LIMITS } from "@blindbox/manifest/source";
import { describe, expect, it } from "vitest";
import { readBoxFiles } from "../src/box-files.ts";
import type { ProbeResult } from "../src/parts.ts";
import { demandTightSandbox } from "../src/self-test.ts";
import { temporaryFolder } from "./oci-image.ts";

const manifest: Manifest = {
  type: "blindbox-manifest/1",
  name: "test",
  app: {
    image: `sha256:${"a".repeat(64)}`,
    port: 80,
    user: { uid: 1000, gid: 1000 },
    command: ["/app"],
    workingDir: "/",
    env: {},
    ready: null,
    writable: [],
    resources: { memory: 268_435_456, cpus: 1000, processes: 64, tmp: 67_108_864 },
    users: "one",
  },
  access: { principals: [], rules: [], mutualTls: null },
  egress: [],
  logs: "none",
  operations: { port: null, health: "live", metrics: "none" },
  audit: { entries: 10_000 },
};
const runtime = {
  type: "blindbox-runtime/1",
  version: "0.1.0",
  tee: "simulated",
  bundle: `sha256:${"b".repeat(64)}`,
  node: `sha256:${"c".repeat(64)}`,
};

interface Written {
  readonly manifest?: string | Uint8Array;
  readonly runtime?: string;
}

async function boxWith({ manifest: manifestText, runtime: runtimeText }: Written): Promise<string> {
  const root = await temporaryFolder();
  if (manifestText !== undefined) await writeFile(join(root, "manifest.json"), manifestText);
  if (runtimeText !== undefined) await writeFile(join(root, "runtime.json"), runtimeText);
  return root;
}

function textOf(changes: Partial<Manifest>): string {
  return formatManifest({ ...manifest, access: { principals: [], rules: [rule], mutualTls: null }, ...changes });
}

const rule = {
  allow: ["anonymous"],
  methods: ["GET" as const],
  path: "/**",
  headers: {},
  upgrade: "none" as const,
  audit: false,
  limits: { ...DEFAULT_LIMITS, body: 1, requestsPerMinute: 1, concurrent: 1 },
};
const good = { manifest: textOf({}), runtime: canonicalJson(runtime) };

describe("the files of a box", () => {
  it("say what it is, by the digests of their exact bytes", async () => {
    const root = await boxWith(good);
    expect(await readBoxFiles(root, "simulated")).toEqual({
      manifest: { ...manifest, access: { principals: [], rules: [rule], mutualTls: null } },
      manifestText: good.manifest,
      manifestDigest: `sha256:${hash("sha256", good.manifest)}`,
      runtimeDigest: `sha256:${hash("sha256", good.runtime)}`,
      rootfs: join(root, "app/rootfs"),
    });
  });

  const staff = {
    id: "staff",
    jwt: {
      issuer: "https://idp.example.com",
      audience: "box",
      keys: { url: "https://idp.example.com/keys", thumbprints: ["A".repeat(43)] },
      algorithms: ["ES256" as const],
      requiredClaims: {},
      clockSkew: 30,
      maxLifetime: 3600,
    },
    audit: false,
  };
  const keyHost = {
    mode: "verified" as const,
    host: "idp.example.com",
    ports: [443],
    methods: ["GET" as const],
    paths: ["/keys"],
    websocket: false,
    pins: [],
    roots: null,
  };
  const pinning = textOf({ access: { principals: [staff], rules: [], mutualTls: null }, egress: [keyHost] });
  it("let it start with keys that it may ask for", async () => {
    expect((await readBoxFiles(await boxWith({ ...good, manifest: pinning }), "simulated")).manifestText).toBe(pinning);
  });

  const changedRuntime = (changes: Record<string, JsonValue>): string => canonicalJson({ ...runtime, ...changes });
  it.each<[string, Written, string]>([
    ["the manifest is not there", { runtime: good.runtime }, "files-unreadable"],
    ["the runtime is not there", { manifest: good.manifest }, "files-unreadable"],
    ["the manifest is not UTF-8", { ...good, manifest: Buffer.from([0x22, 0xff, 0x22]) }, "files-unreadable"],
    ["the manifest is not canonical", { ...good, manifest: `${good.manifest}\n` }, "manifest-invalid"],
    ["the manifest begins with a byte order mark", { ...good, manifest: `\ufeff${good.manifest}` }, "manifest-invalid"],
    [
      "the manifest is of another version",
      { ...good, manifest: good.manifest.replace("manifest/1", "manifest/2") },
      "manifest-invalid",
    ],
    [
      "the manifest has keys published where no rule of egress leads",
      { ...good, manifest: pinning.replace('"paths":["/keys"]', '"paths":["/other"]') },
      "manifest-invalid",
    ],
    ["the runtime is not canonical", { ...good, runtime: ` ${good.runtime}` }, "runtime-invalid"],
    [
      "the runtime is of another version",
      { ...good, runtime: changedRuntime({ type: "blindbox-runtime/2" }) },
      "runtime-invalid",
    ],
    [
      "the runtime was built for another TEE",
      { ...good, runtime: changedRuntime({ tee: "sev-snp" }) },
      "runtime-invalid",
    ],
    ["the runtime has a member too many", { ...good, runtime: changedRuntime({ debug: true }) }, "runtime-invalid"],
  ])("keep it from starting where %s", async (_, written, code) => {
    await expect(readBoxFiles(await boxWith(written), "simulated")).rejects.toMatchObject({ code });
  });
});

describe("the self-test's verdict", () => {
  const denied = Object.fromEntries(SELF_TEST_PROBES.map((probe): [string, ProbeResult] => [probe, "denied"]));
  const sandbox = (results: Record<string, ProbeResult>) => ({
    driver: "rooted" as const,
    selfTest: () => Promise.resolve(results),
  });

  it("is the canonical text of all probes", async () => {
    expect(await demandTightSandbox(sandbox(denied))).toBe(canonicalJson(denied));
  });

  it.each(SELF_TEST_PROBES)("is a refusal where %s was allowed, or not tried", async (probe) => {
    const refusal = { code: "self-test-failed", message: `not denied in the rooted sandbox: ${probe}` };
    await expect(demandTightSandbox(sandbox({ ...denied, [probe]: "allowed" }))).rejects.toMatchObject(refusal);
    const { [probe]: _, ...rest } = denied;
    await expect(demandTightSandbox(sandbox(rest))).rejects.toMatchObject(refusal);
  });

  it("is a refusal where a probe is reported that nobody knows", async () => {
    await expect(demandTightSandbox(sandbox({ ...denied, extra: "denied" }))).rejects.toMatchObject({
      code: "self-test-failed",
    });
  });

  it("is a refusal where the self-test cannot be run", async () => {
    const broken = { driver: "rooted" as const, selfTest: () => Promise.reject(new Error("no probe")) };
    await expect(demandTightSandbox(broken)).rejects.toMatchObject({ code: "self-test-failed", message: "no probe" });
  });
});
