/** Images written by hand, right ones and broken ones, in each form that `build` reads. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { onTestFinished } from "vitest";
import { type Entry, file, tar } from "./tar.ts";

export type Compression = "none" | "gzip" | "zstd";
export type Files = Map<string, Buffer>;
export type Json = Record<string, unknown>;

const extensions = { none: "", gzip: "+gzip", zstd: "+zstd" };
const manifestType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";

export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

export function compress(bytes: Buffer, compression: Compression): Buffer {
  if (compression === "none") return bytes;
  return compression === "gzip" ? gzipSync(bytes) : zstdCompressSync(bytes);
}

/** A directory that is gone after the test. */
export function scratchDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), "builder-test-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Adds a blob and returns its descriptor. */
export function addBlob(files: Files, mediaType: string, bytes: Buffer): Json {
  const digest = sha256(bytes);
  files.set(`blobs/${digest.replace(":", "/")}`, bytes);
  return { mediaType, digest, size: bytes.length };
}

export interface ImageParts {
  readonly layers: readonly Buffer[];
  readonly compression?: Compression;
  /** Takes the place of members of the config document. */
  readonly config?: Json;
  /** The `config` member of the config document: User, Env and so on. */
  readonly run?: Json;
  /** Of the descriptor in the index; null leaves it out. */
  readonly platform?: Json | null;
}

function configOf(parts: ImageParts): Json {
  return {
    architecture: "amd64",
    os: "linux",
    config: parts.run ?? { Cmd: ["/app"], Env: ["PATH=/bin"], WorkingDir: "/" },
    rootfs: { type: "layers", diff_ids: parts.layers.map(sha256) },
    ...parts.config,
  };
}

/** Adds config, layers and manifest, and returns the manifest's descriptor. */
export function addImage(files: Files, parts: ImageParts): Json {
  const compression = parts.compression ?? "none";
  const layerType = `application/vnd.oci.image.layer.v1.tar${extensions[compression]}`;
  const config = addBlob(files, "application/vnd.oci.image.config.v1+json", json(configOf(parts)));
  const layers = parts.layers.map((layer) => addBlob(files, layerType, compress(layer, compression)));
  const manifest = addBlob(files, manifestType, json({ schemaVersion: 2, mediaType: manifestType, config, layers }));
  const platform = parts.platform === undefined ? { os: "linux", architecture: "amd64" } : parts.platform;
  return platform === null ? manifest : { ...manifest, platform };
}

/** Adds an index as a blob and returns its descriptor. */
export function addIndex(files: Files, manifests: readonly Json[]): Json {
  return addBlob(files, indexType, json({ schemaVersion: 2, mediaType: indexType, manifests }));
}

/** The files of an OCI layout whose index names these manifests. */
export function layout(files: Files, manifests: readonly Json[]): Files {
  files.set("oci-layout", json({ imageLayoutVersion: "1.0.0" }));
  files.set("index.json", json({ schemaVersion: 2, mediaType: indexType, manifests }));
  return files;
}

export function ociFiles(parts: ImageParts): Files {
  const files: Files = new Map();
  return layout(files, [addImage(files, parts)]);
}

/** What `docker save` wrote before version 25. */
export function dockerFiles(parts: ImageParts): Files {
  const config = json(configOf(parts));
  const name = `${sha256(config).slice(7)}.json`;
  const layers = parts.layers.map((layer, index): [string, Buffer] => [
    `${index}/layer.tar`,
    compress(layer, parts.compression ?? "none"),
  ]);
  const manifest = json([{ Config: name, RepoTags: ["app:latest"], Layers: layers.map(([path]) => path) }]);
  return new Map([[name, config], ...layers, ["manifest.json", manifest]]);
}

export function writeDirectory(files: Files, path: string): string {
  for (const [name, bytes] of files) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), bytes);
  }
  return path;
}

export async function writeArchive(files: Files, path: string, more: readonly Entry[] = []): Promise<string> {
  writeFileSync(path, await tar([...[...files].map(([name, bytes]) => file(name, bytes)), ...more]));
  return path;
}
