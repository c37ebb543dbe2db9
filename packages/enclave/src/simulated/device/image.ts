/** What a loader of real hardware would do: hash the very bytes of the image, and believe none of its own digests. */
import { createHash, hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { DeviceError, orDeviceError } from "./device-error.ts";

/** Bytes of an index, a manifest or a configuration; those of large images stay below 1 MiB. */
const maxDocumentBytes = 4 * 1024 * 1024;

/** A registry's usual limit is 127. */
const maxLayers = 128;

const hint = "build the image again";

/** What a box is made of. With another type, or another member, some other reader could take the same bytes for another image. */
const mediaTypes = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
} as const;

const blobMembers: readonly string[] = ["mediaType", "digest", "size"];
const members = {
  index: ["schemaVersion", "mediaType", "manifests"],
  manifestDescriptor: [...blobMembers, "platform", "annotations"],
  manifest: ["schemaVersion", "mediaType", "config", "layers", "annotations"],
  config: ["created", "architecture", "os", "config", "rootfs"],
  rootfs: ["type", "diff_ids"],
} as const;

/** An OCI descriptor. */
interface Descriptor {
  /** Lower-case hex of the SHA-256. */
  readonly sha256: string;
  readonly size: number;
}

/**
 * Measures an OCI image layout folder that holds one image, and nothing that could be taken for another: SHA-384 over
 * `blindbox-sim/1`, the digest of the configuration and the diff ids of the layers in order. Every blob on the way is
 * hashed. Layers are uncompressed, so that a diff id is the digest of the blob.
 *
 * @throws DeviceError with code `image-invalid` where a blob is missing or is not what its digest and size say, and for
 * media types and members that the image of a box does not have.
 */
export function measureImage(folder: string): Promise<Uint8Array> {
  return orDeviceError("image-invalid", hint, () => measure(folder));
}

async function measure(folder: string): Promise<Uint8Array> {
  const manifest = await readManifest(folder);
  const configAt = descriptor("manifest.config", manifest["config"], mediaTypes.config);
  const layers = asArray("manifest.layers", manifest["layers"]).map((each, at) =>
    descriptor(`manifest.layers[${at}]`, each, mediaTypes.layer),
  );
  const diffIds = await readDiffIds(folder, configAt);
  if (layers.length !== diffIds.length) throw invalid("config.rootfs.diff_ids: expected one for each layer");
  const measured = createHash("sha384").update("blindbox-sim/1").update(configAt.sha256, "hex");
  for (const [at, layer] of layers.entries()) {
    if (layer.sha256 !== diffIds[at]) throw invalid(`config.rootfs.diff_ids[${at}]: not the layer's`);
    await checkLayer(folder, layer);
    measured.update(layer.sha256, "hex");
  }
  return measured.digest();
}

type Document = Readonly<Record<string, unknown>>;

async function readManifest(folder: string): Promise<Document> {
  const index = exact("index", parse("index", await readBounded(join(folder, "index.json"))), members.index);
  checkVersion("index", index, mediaTypes.index);
  const [manifestAt, ...others] = asArray("index.manifests", index["manifests"]);
  if (others.length > 0) throw invalid("index.manifests: expected one image");
  const at = descriptor("index.manifests[0]", manifestAt, mediaTypes.manifest, members.manifestDescriptor);
  const manifest = exact("manifest", await readDocument(folder, "manifest", at), members.manifest);
  checkVersion("manifest", manifest, mediaTypes.manifest);
  return manifest;
}

/** Lower-case hex of each. */
async function readDiffIds(folder: string, at: Descriptor): Promise<readonly string[]> {
  const config = exact("config", await readDocument(folder, "config", at), members.config);
  const rootfs = exact("config.rootfs", config["rootfs"], members.rootfs);
  if (rootfs["type"] !== "layers") throw invalid("config.rootfs.type: expected layers");
  const diffIds = asArray("config.rootfs.diff_ids", rootfs["diff_ids"]);
  return diffIds.map((diffId, index) => sha256Of(`config.rootfs.diff_ids[${index}]`, diffId));
}

/** A document may leave its own type out (OCI image specification): the descriptor that led to it says it. */
function checkVersion(name: string, document: Document, mediaType: string): void {
  if (document["schemaVersion"] !== 2) throw invalid(`${name}.schemaVersion: expected 2`);
  if (document["mediaType"] !== mediaType && "mediaType" in document)
    throw invalid(`${name}.mediaType: expected ${mediaType}`);
}

async function readDocument(folder: string, name: string, at: Descriptor): Promise<unknown> {
  const bytes = await readBounded(blobPath(folder, at));
  if (bytes.length !== at.size || hash("sha256", bytes, "hex") !== at.sha256) throw notItsDigest(at);
  return parse(name, bytes);
}

async function readBounded(path: string): Promise<Buffer> {
  if ((await stat(path)).size > maxDocumentBytes) throw invalid("expected a document of at most 4 MiB");
  return readFile(path);
}

async function checkLayer(folder: string, layer: Descriptor): Promise<void> {
  const path = blobPath(folder, layer);
  if ((await stat(path)).size !== layer.size) throw notItsDigest(layer);
  const hashed = createHash("sha256");
  await pipeline(createReadStream(path), hashed);
  if (hashed.digest("hex") !== layer.sha256) throw notItsDigest(layer);
}

function blobPath(folder: string, { sha256 }: Descriptor): string {
  return join(folder, "blobs", "sha256", sha256);
}

function descriptor(path: string, value: unknown, type: string, allowed = blobMembers): Descriptor {
  const { mediaType, digest, size } = exact(path, value, allowed);
  if (mediaType !== type) throw invalid(`${path}.mediaType: expected ${type}`);
  if (typeof size !== "number") throw invalid(`${path}.size: expected a number`);
  return { size, sha256: sha256Of(`${path}.digest`, digest) };
}

function sha256Of(path: string, value: unknown): string {
  const hex = typeof value === "string" ? /^sha256:([0-9a-f]{64})$/.exec(value)?.[1] : undefined;
  if (hex === undefined) throw invalid(`${path}: expected sha256: and 64 hex digits`);
  return hex;
}

function parse(name: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    throw invalid(`${name}: expected JSON`);
  }
}

/** An object with no other members than these. */
function exact(path: string, value: unknown, allowed: readonly string[]): Document {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(`${path}: expected an object`);
  if (Object.keys(value).every((name) => allowed.includes(name))) return value as Document;
  throw invalid(`${path}: expected no other members than ${allowed.join(", ")}`);
}

function asArray(path: string, value: unknown): readonly unknown[] {
  const fits = Array.isArray(value) && value.length > 0 && value.length <= maxLayers;
  if (!fits) throw invalid(`${path}: expected 1 to ${maxLayers} members`);
  return value as readonly unknown[];
}

function notItsDigest({ sha256 }: Descriptor): DeviceError {
  return invalid(`blob ${sha256.slice(0, 12)}: bytes are not those of its digest and size`);
}

function invalid(reason: string): DeviceError {
  return new DeviceError("image-invalid", reason, hint);
}
