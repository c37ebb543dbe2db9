import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatManifest, manifestDigest, type Manifest } from "@blindbox/manifest";
import { formatRelease } from "@blindbox/release";

const manifest: Manifest = {
  type: "blindbox-manifest/1",
  name: "hello",
  app: {
    image: `sha256:${"1".repeat(64)}`,
    port: 80,
    user: { uid: 1000, gid: 1000 },
    command: ["/bin/hello"],
    workingDir: "/",
    env: {},
    ready: null,
    writable: [],
    resources: { memory: 2 ** 26, cpus: 1000, processes: 16, tmp: 2 ** 20 },
    users: "one",
  },
  access: { principals: [], rules: [], mutualTls: null },
  egress: [],
  logs: "none",
  operations: { port: null, health: "live", metrics: "none" },
  audit: { entries: 10_000 },
};

/** What the documents of a box say. */
export interface BoxDocuments {
  readonly manifestText: string;
  readonly manifestDigest: string;
}

/** Writes the two documents of a box, as `blindbox build` does; there is no image beside them. */
export async function writeBox(directory: string): Promise<BoxDocuments> {
  const manifestText = formatManifest(manifest);
  const digest = await manifestDigest(manifestText);
  const sha256 = `sha256:${"2".repeat(64)}`;
  const release = formatRelease({
    type: "blindbox-release/1",
    product: "hello",
    channel: "development",
    version: "0",
    sequence: 0,
    runtime: { type: "blindbox-runtime/1", version: "0.1.0", tee: "simulated", bundle: sha256, node: sha256 },
    app: { image: manifest.app.image },
    manifest: digest,
    referenceValues: [{ tee: "simulated", registers: { measurement: "3".repeat(96) } }],
    previous: null,
  });
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "manifest.json"), manifestText);
  writeFileSync(join(directory, "blindbox.release.json"), release);
  return { manifestText, manifestDigest: digest };
}
