/** Files of a whole box on this machine: bundle, root, and an image for the simulated device to measure. */
import { hash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson } from "@blindbox/encoding";
import { type Egress, formatManifest, type Manifest } from "@blindbox/manifest";
import { bundle } from "../scripts/bundle-enclave.ts";

function digestOf(text: string): string {
  return `sha256:${hash("sha256", text, "hex")}`;
}

const verified = { mode: "verified", websocket: false, pins: [], roots: null } as const;

/** What an ordinary application has: two interfaces on the web, and a database. */
const egress: readonly Egress[] = [
  { ...verified, host: "api.example.com", ports: [443], methods: ["GET", "POST"], paths: ["/v1/**"] },
  { ...verified, host: "*.example.org", ports: [443], methods: "any", paths: "any" },
  { mode: "passthrough", host: "database.example.net", ports: [5432] },
];

export const manifest: Manifest = {
  type: "blindbox-manifest/1",
  name: "start-up",
  app: {
    image: digestOf("image"),
    port: 80,
    user: { uid: 1000, gid: 1000 },
    command: ["/bin/httpd", "-f", "-p", "80", "-h", "/www"],
    workingDir: "/",
    env: { PATH: "/bin" },
    ready: { path: "/index.html" },
    writable: [],
    resources: { memory: 2 ** 28, cpus: 1000, processes: 64, tmp: 2 ** 24 },
    users: "one",
  },
  access: { principals: [], rules: [], mutualTls: null },
  egress,
  logs: "none",
  operations: { port: null, health: "live", metrics: "none" },
  audit: { entries: 10_000 },
};

/** Writes what a box reads at its start, but for `app/rootfs`, into `root`. */
export function writeBoxRoot(root: string): void {
  const [bundled, node] = [digestOf("bundle"), digestOf("node")];
  const runtime = { type: "blindbox-runtime/1", version: "0.1.0", tee: "simulated", bundle: bundled, node };
  writeFileSync(join(root, "manifest.json"), formatManifest(manifest));
  writeFileSync(join(root, "runtime.json"), canonicalJson(runtime));
}

/** Bundles the enclave as the image has it into `folder`; answers the path of its entry. */
export async function writeBundle(folder: string): Promise<string> {
  for (const { name, code } of await bundle("enclave/simulated")) writeFileSync(join(folder, name), code);
  return join(folder, "main.mjs");
}

/** The smallest OCI image layout: one layer, which is an empty tar. */
export function writeEmptyImage(folder: string): void {
  mkdirSync(join(folder, "blobs/sha256"), { recursive: true });
  const write = (kind: string, blob: string) => {
    const digest = digestOf(blob);
    writeFileSync(join(folder, "blobs/sha256", digest.slice("sha256:".length)), blob);
    return { mediaType: `application/vnd.oci.image.${kind}`, digest, size: blob.length };
  };
  const layer = write("layer.v1.tar", "\0".repeat(1024));
  const rootfs = { type: "layers", diff_ids: [layer.digest] };
  const config = write("config.v1+json", JSON.stringify({ architecture: "amd64", os: "linux", rootfs }));
  const image = write("manifest.v1+json", JSON.stringify({ schemaVersion: 2, config, layers: [layer] }));
  writeFileSync(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [image] }));
}
