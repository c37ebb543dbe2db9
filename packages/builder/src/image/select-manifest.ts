/** From `index.json` to the one image manifest for linux/amd64. */
import { BuildError } from "../build-error.ts";
import type { ImageLimits } from "../limits.ts";
import { type Descriptor, parseDescriptor } from "./descriptor.ts";
import { boxPlatform, parseImageConfig } from "./image-config.ts";
import { type ImageFiles, readAll, readBlob } from "./image-files.ts";
import { listAt, objectAt, parseDocument } from "./json-fields.ts";

/** An image manifest: its own descriptor, and those of config and layers, lowest layer first. */
export interface ImageManifest {
  readonly descriptor: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

const manifestTypes: ReadonlySet<string> = new Set([
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
]);
const indexTypes: ReadonlySet<string> = new Set([
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
]);
const configTypes: ReadonlySet<string> = new Set([
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.container.image.v1+json",
]);

/** `docker save` nests one index in another; nobody nests deeper. */
const maxIndexDepth = 3;
/** Images of one index, all platforms and tags together. */
const maxIndexEntries = 1000;

/** Every image manifest that an index names, in nested indexes too, each digest once. */
async function collectManifests(
  files: ImageFiles,
  index: Uint8Array,
  field: string,
  limits: ImageLimits,
): Promise<readonly Descriptor[]> {
  const found = new Map<string, Descriptor>();
  const visit = async (bytes: Uint8Array, at: string, depth: number): Promise<void> => {
    const entries = listAt(objectAt(parseDocument(bytes, at), at)["manifests"], `${at} manifests`);
    if (entries.length > maxIndexEntries || depth > maxIndexDepth) throw indexTooLarge(at);
    for (const [position, entry] of entries.entries()) {
      const descriptor = parseDescriptor(entry, `${at} manifests[${position}]`);
      if (descriptor.isAttestation) continue;
      if (manifestTypes.has(descriptor.mediaType)) found.set(descriptor.digest, descriptor);
      if (!indexTypes.has(descriptor.mediaType) || !mayHoldPlatform(descriptor)) continue;
      const nested = await readBlob(files, descriptor, limits.documentBytes);
      await visit(nested, descriptor.field, depth + 1);
    }
  };
  await visit(index, field, 1);
  return [...found.values()];
}

function mayHoldPlatform(descriptor: Descriptor): boolean {
  // `linux/amd64/v2` and later need newer processors than a box may have.
  return descriptor.platform === null || [boxPlatform, `${boxPlatform}/v1`].includes(descriptor.platform);
}

function indexTooLarge(field: string): BuildError {
  const expected = `at most ${maxIndexEntries} images, nested at most ${maxIndexDepth} deep`;
  return new BuildError("limit-exceeded", { field, expected, actual: "more" });
}

/** Reads an image manifest. Null when it describes something else than an image (a chart, a signature). */
async function readManifest(
  files: ImageFiles,
  descriptor: Descriptor,
  limits: ImageLimits,
): Promise<ImageManifest | null> {
  const bytes = await readBlob(files, descriptor, limits.documentBytes);
  const manifest = objectAt(parseDocument(bytes, "image manifest"), "image manifest");
  const config = parseDescriptor(manifest["config"], "image manifest config");
  if (!configTypes.has(config.mediaType)) return null;
  const layers = listAt(manifest["layers"], "image manifest layers");
  if (layers.length > limits.layers) {
    const problem = { field: "image", expected: `at most ${limits.layers} layers`, actual: `${layers.length}` };
    throw new BuildError("limit-exceeded", problem);
  }
  const parsed = layers.map((layer, index) => parseDescriptor(layer, `image manifest layers[${index}]`));
  return { descriptor, config, layers: parsed };
}

/** A descriptor without a platform says nothing of it: the config does. */
async function isForBox(files: ImageFiles, manifest: ImageManifest, limits: ImageLimits): Promise<boolean> {
  if (manifest.descriptor.platform !== null) return true;
  const config = await readBlob(files, manifest.config, limits.documentBytes);
  return parseImageConfig(config).platform === boxPlatform;
}

function noneOrMany(all: readonly Descriptor[], matches: readonly ImageManifest[]): BuildError {
  if (matches.length === 0) {
    const named = [...new Set(all.map((descriptor) => descriptor.platform ?? "another platform"))];
    const actual = named.length === 0 ? "no image at all" : named.slice(0, 8).join(", ");
    const hint = "save the image for linux/amd64";
    return new BuildError("unsupported-platform", { field: "image", expected: boxPlatform, actual, hint });
  }
  const hint = "save one image, under one tag, to a file of its own";
  const problem = { field: "image", expected: "one image for linux/amd64", actual: `${matches.length}`, hint };
  return new BuildError("ambiguous-image", problem);
}

/** Finds the one image manifest for linux/amd64 of an OCI layout. Throws a BuildError when there is none, or more. */
export async function selectManifest(files: ImageFiles, limits: ImageLimits): Promise<ImageManifest> {
  const stored = await files.find("index.json");
  if (stored === null) {
    const problem = { field: "index.json", expected: "the index of an OCI layout", actual: "no such file" };
    throw new BuildError("malformed-image", problem);
  }
  const index = await readAll(stored, "index.json", limits.documentBytes);
  const all = await collectManifests(files, index, "index.json", limits);
  const matches: ImageManifest[] = [];
  for (const descriptor of all.filter(mayHoldPlatform)) {
    const manifest = await readManifest(files, descriptor, limits);
    if (manifest !== null && (await isForBox(files, manifest, limits))) matches.push(manifest);
  }
  const [only] = matches;
  if (only === undefined || matches.length > 1) throw noneOrMany(all, matches);
  return only;
}
