/** The image of a box: the one form that `build` writes, so that it cannot be read as two different images. */
import { BuildError } from "../build-error.ts";
import type { ImageLimits } from "../limits.ts";
import { type Descriptor, parseDescriptor } from "./descriptor.ts";
import { checkPlatform, parseImageConfig } from "./image-config.ts";
import { openDirectory } from "./image-directory.ts";
import { findBlob, type ImageFiles, readAll, readBlob } from "./image-files.ts";
import { type JsonObject, listAt, objectAt, parseDocument } from "./json-fields.ts";
import type { SourceImage, SourceLayer } from "./source-image.ts";

/** What an image of a box is made of, and what the simulated device measures; nothing else. */
export const boxMediaTypes = {
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
} as const;

function notABox(field: string, expected: string, actual: string): BuildError {
  return new BuildError("not-a-box", { field, expected, actual, hint: "build it again with `blindbox build`" });
}

function exactObject(value: unknown, field: string, allowed: readonly string[]): JsonObject {
  const object = objectAt(value, field);
  if (Object.keys(object).every((name) => allowed.includes(name))) return object;
  throw notABox(field, `no other members than ${allowed.join(", ")}`, "others");
}

function exactDescriptor(value: unknown, field: string, type: string, allowed = blobMembers): Descriptor {
  const descriptor = parseDescriptor(exactObject(value, field, allowed), field);
  if (descriptor.mediaType === type) return descriptor;
  throw notABox(`${field}.mediaType`, type, "another media type");
}

function versioned(bytes: Uint8Array, field: "index" | "manifest"): JsonObject {
  const document = exactObject(parseDocument(bytes, field), field, members[field]);
  if (document["schemaVersion"] === 2 && document["mediaType"] === boxMediaTypes[field]) return document;
  throw notABox(field, `schemaVersion 2 and mediaType ${boxMediaTypes[field]}`, "others");
}

async function readIndex(files: ImageFiles, limits: ImageLimits): Promise<Descriptor> {
  const stored = await files.find("index.json");
  if (stored === null) throw notABox("index.json", "the index of an OCI layout", "no such file");
  const index = versioned(await readAll(stored, "index.json", limits.documentBytes), "index");
  const [only, ...others] = listAt(index["manifests"], "index manifests");
  if (others.length > 0) throw notABox("index manifests", "one image", `${others.length + 1}`);
  return exactDescriptor(only, "index manifests[0]", boxMediaTypes.manifest, members.manifestDescriptor);
}

function layersOf(manifest: JsonObject, diffIds: readonly string[], limits: ImageLimits): readonly Descriptor[] {
  const layers = listAt(manifest["layers"], "manifest layers");
  if (layers.length > limits.layers) {
    const problem = { field: "image", expected: `at most ${limits.layers} layers`, actual: `${layers.length}` };
    throw new BuildError("limit-exceeded", problem);
  }
  const parsed = layers.map((each, at) => exactDescriptor(each, `manifest layers[${at}]`, boxMediaTypes.layer));
  const isPlain = parsed.length === diffIds.length && parsed.every(({ digest }, at) => digest === diffIds[at]);
  if (isPlain) return parsed;
  throw notABox("config rootfs.diff_ids", "the digests of the layers, which are uncompressed", "others");
}

/**
 * Opens the image of a box: an OCI layout directory with one image, no index within the index, no choice of platform, no
 * member and no media type that `build` does not write. Index, manifest and config are verified; the layers are not read
 * yet. Throws a BuildError for everything else.
 */
export async function openBoxImage(directory: string, limits: ImageLimits): Promise<Omit<SourceImage, "close">> {
  const files = openDirectory(directory);
  const at = await readIndex(files, limits);
  const manifest = versioned(await readBlob(files, at, limits.documentBytes), "manifest");
  const configAt = exactDescriptor(manifest["config"], "manifest config", boxMediaTypes.config);
  const configBytes = await readBlob(files, configAt, limits.documentBytes);
  exactObject(parseDocument(configBytes, "config"), "config", members.config);
  const config = parseImageConfig(configBytes);
  checkPlatform(config);
  const descriptors = layersOf(manifest, config.diffIds, limits);
  const layers: SourceLayer[] = [];
  for (const [index, descriptor] of descriptors.entries()) {
    const name = `layer ${index + 1} of ${descriptors.length}`;
    const file = await findBlob(files, descriptor);
    layers.push({ name, file, blobDigest: descriptor.digest, diffId: descriptor.digest });
  }
  return { digest: at.digest, configDigest: configAt.digest, config, layers };
}
