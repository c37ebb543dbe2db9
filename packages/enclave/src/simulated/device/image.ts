/** What a loader of real hardware would do: hash the very bytes of the image, and believe none of its own digests. */
import { createHash, hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { DeviceError, orDeviceError } from "./device-error.ts";

/** Bytes of an index, a manifest or a configuration; those of large images stay below 1 MiB. */
const maxDocumentBytes = 4 * 1024 * 1024;

/** A registry's usual limit is 127. */
const maxLayers = 128;

const hint = "build the image again";

/** An OCI descriptor. */
interface Descriptor {
  readonly mediaType: string;
  /** Lower-case hex of the SHA-256. */
  readonly sha256: string;
  readonly size: number;
}

/**
 * Measures an OCI image layout folder that holds one image: SHA-384 over `blindbox-sim/1`, the digest of the
 * configuration and the diff ids of the layers in order. Every blob on the way is hashed, unpacked layers too.
 *
 * @throws DeviceError with code `image-invalid` where a blob is missing or is not what its digest and size say.
 */
export function measureImage(folder: string): Promise<Uint8Array> {
  return orDeviceError("image-invalid", hint, () => measure(folder));
}

async function measure(folder: string): Promise<Uint8Array> {
  const index = asRecord("index.json", parse("index.json", await readBounded(join(folder, "index.json"))));
  const [manifestAt, ...others] = asArray("index.manifests", index["manifests"]);
  if (others.length > 0) throw invalid("index.manifests: expected one image");
  const manifest = await readDocument(folder, descriptor("index.manifests[0]", manifestAt));
  const configAt = descriptor("manifest.config", manifest["config"]);
  const config = await readDocument(folder, configAt);
  const diffIds = asArray("config.rootfs.diff_ids", asRecord("config.rootfs", config["rootfs"])["diff_ids"]);
  const layers = asArray("manifest.layers", manifest["layers"]).map((each, at) =>
    descriptor(`manifest.layers[${at}]`, each),
  );
  if (layers.length !== diffIds.length) throw invalid("config.rootfs.diff_ids: expected one for each layer");
  const measured = createHash("sha384").update("blindbox-sim/1").update(configAt.sha256, "hex");
  for (const [at, layer] of layers.entries()) {
    const diffId = sha256Of(`config.rootfs.diff_ids[${at}]`, diffIds[at]);
    await checkLayer(folder, layer, diffId);
    measured.update(diffId, "hex");
  }
  return measured.digest();
}

async function readDocument(folder: string, at: Descriptor): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await readBounded(blobPath(folder, at));
  if (bytes.length !== at.size || hash("sha256", bytes, "hex") !== at.sha256) throw notItsDigest(at);
  return asRecord(at.mediaType, parse(at.mediaType, bytes));
}

async function readBounded(path: string): Promise<Buffer> {
  if ((await stat(path)).size > maxDocumentBytes) throw invalid("expected a document of at most 4 MiB");
  return readFile(path);
}

const unpackers: Readonly<Record<string, () => NodeJS.ReadWriteStream | null>> = {
  "application/vnd.oci.image.layer.v1.tar": () => null,
  "application/vnd.oci.image.layer.v1.tar+gzip": createGunzip,
};

async function checkLayer(folder: string, layer: Descriptor, diffId: string): Promise<void> {
  const unpacker = unpackers[layer.mediaType];
  if (unpacker === undefined) throw invalid("manifest.layers: expected tar, or tar and gzip");
  const path = blobPath(folder, layer);
  if ((await stat(path)).size !== layer.size) throw notItsDigest(layer);
  const packed = createHash("sha256");
  await pipeline(createReadStream(path), packed);
  if (packed.digest("hex") !== layer.sha256) throw notItsDigest(layer);
  if ((await unpackedDigest(path, unpacker())) !== diffId) throw invalid("config.rootfs.diff_ids: not the layer's");
}

async function unpackedDigest(path: string, unpacker: NodeJS.ReadWriteStream | null): Promise<string> {
  const unpacked = createHash("sha256");
  const source = createReadStream(path);
  await (unpacker === null ? pipeline(source, unpacked) : pipeline(source, unpacker, unpacked));
  return unpacked.digest("hex");
}

function blobPath(folder: string, { sha256 }: Descriptor): string {
  return join(folder, "blobs", "sha256", sha256);
}

function descriptor(path: string, value: unknown): Descriptor {
  const { mediaType, digest, size } = asRecord(path, value);
  if (typeof mediaType !== "string" || typeof size !== "number") throw invalid(`${path}: expected a descriptor`);
  return { mediaType, size, sha256: sha256Of(`${path}.digest`, digest) };
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

function asRecord(path: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(`${path}: expected an object`);
  return value as Readonly<Record<string, unknown>>;
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
