/** A small OCI image layout on disk. */
import { hash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll } from "vitest";

export interface OciImage {
  readonly folder: string;
  /** Path of a blob. */
  blob(which: "manifest" | "config" | number): string;
  /** What the device has to come to, by the formula of DESIGN section 5. */
  readonly measurement: Uint8Array;
}

export interface OciOptions {
  readonly layers?: readonly Buffer[];
  readonly gzip?: boolean;
  /** Changes documents before they are hashed. */
  readonly manifest?: (manifest: Record<string, unknown>) => unknown;
  readonly config?: (config: Record<string, unknown>) => unknown;
  readonly index?: (index: Record<string, unknown>) => unknown;
}

const folders: string[] = [];

afterAll(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** An empty folder that is gone when the file of tests is through. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "blindbox-enclave-test-"));
  folders.push(folder);
  return folder;
}

export async function writeImage(options: OciOptions = {}): Promise<OciImage> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "blobs/sha256"), { recursive: true });
  const layers = options.layers ?? [randomBytes(5000), randomBytes(70_000)];
  const unchanged = (value: unknown): unknown => value;
  const diffIds = layers.map((layer) => `sha256:${hash("sha256", layer)}`);
  const descriptors: Descriptor[] = [];
  for (const layer of layers) {
    const blob = options.gzip === true ? gzipSync(layer) : layer;
    descriptors.push(
      await writeBlob(folder, `application/vnd.oci.image.layer.v1.tar${options.gzip === true ? "+gzip" : ""}`, blob),
    );
  }
  const config = (options.config ?? unchanged)({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: diffIds },
  });
  const configAt = await writeBlob(
    folder,
    "application/vnd.oci.image.config.v1+json",
    Buffer.from(JSON.stringify(config)),
  );
  const manifest = (options.manifest ?? unchanged)({ schemaVersion: 2, config: configAt, layers: descriptors });
  const manifestAt = await writeBlob(
    folder,
    "application/vnd.oci.image.manifest.v1+json",
    Buffer.from(JSON.stringify(manifest)),
  );
  const index = (options.index ?? unchanged)({ schemaVersion: 2, manifests: [manifestAt] });
  await writeFile(join(folder, "index.json"), JSON.stringify(index));
  const digests = [configAt.digest, ...diffIds].map((digest) => Buffer.from(digest.slice(7), "hex"));
  return {
    folder,
    blob: (which) => {
      const at = which === "manifest" ? manifestAt : which === "config" ? configAt : descriptors[which];
      return join(folder, "blobs/sha256", (at?.digest ?? "").slice(7));
    },
    measurement: hash("sha384", Buffer.concat([Buffer.from("blindbox-sim/1"), ...digests]), "buffer"),
  };
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

async function writeBlob(folder: string, mediaType: string, bytes: Buffer): Promise<Descriptor> {
  const digest = hash("sha256", bytes);
  await writeFile(join(folder, "blobs/sha256", digest), bytes);
  return { mediaType, digest: `sha256:${digest}`, size: bytes.length };
}
