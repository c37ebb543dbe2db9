import { chmod, readdir, rm } from "node:fs/promises";
import { BuildError } from "../build-error.ts";
import { onFiles, outputPlace } from "../file-fault.ts";
import { openBoxImage } from "../image/box-image.ts";
import { compressionOf } from "../image/compression.ts";
import { ByteBudget, checkStored, type LayerReading, layerBytes } from "../image/layer-bytes.ts";
import type { SourceLayer } from "../image/source-image.ts";
import { type ImageLimits, imageLimits } from "../limits.ts";
import { makeDirectories } from "../make-directories.ts";
import { checkMembers } from "../options.ts";
import { EntryBudget } from "../tar/entry-budget.ts";
import { parseEntry } from "../tar/layer-entry.ts";
import { readTar } from "../tar/read-tar.ts";
import { Extractor } from "./extractor.ts";

/** How an image is unpacked. */
export interface UnpackOptions {
  /** True: files belong to the users that the image names, which takes root. False: to who unpacks, and are readable by it. */
  readonly preserveOwners: boolean;
  /** Ends it; nothing is left behind. Left out: it runs to its end. */
  readonly signal?: AbortSignal;
  /** Bounds on the image. Left out, or in part: `imageLimits`. */
  readonly limits?: Partial<ImageLimits>;
}

const members = { required: ["preserveOwners"], optional: ["signal", "limits"] };

/** What was unpacked: the digests that the simulated device measures. */
export interface UnpackedImage {
  readonly configDigest: string;
  readonly diffIds: readonly string[];
}

/** Makes it, or finds it empty. What the umask takes from a new directory's mode is given back. */
async function prepare(destination: string): Promise<void> {
  if (await makeDirectories(destination, 0o700)) await chmod(destination, 0o700);
  if ((await readdir(destination)).length === 0) return;
  const problem = { field: "destination", expected: "an empty directory, or none", actual: "a directory with files" };
  throw new BuildError("output-exists", problem);
}

/** `build` writes layers uncompressed; here that keeps the bytes that are hashed and those that are read the same. */
async function checkPlain(layer: SourceLayer): Promise<void> {
  const compression = await compressionOf(layer.file);
  if (compression === "none") return;
  throw new BuildError("not-a-box", { field: layer.name, expected: "an uncompressed layer", actual: compression });
}

async function unpackLayer(
  layer: SourceLayer,
  extractor: Extractor,
  entries: EntryBudget,
  reading: LayerReading,
): Promise<void> {
  await checkPlain(layer);
  try {
    await readTar(layerBytes(layer, reading), { field: layer.name, code: "malformed-layer" }, (header, body) => {
      const entry = parseEntry(header);
      entries.take(entry);
      return extractor.write(entry, body);
    });
  } catch (error) {
    if (reading.signal?.aborted !== true) await checkStored(layer);
    throw error;
  }
}

async function unpackLayers(
  layers: readonly SourceLayer[],
  destination: string,
  options: UnpackOptions,
  limits: ImageLimits,
): Promise<void> {
  const extractor = new Extractor(destination, options.preserveOwners);
  const entries = new EntryBudget(limits);
  const budget = new ByteBudget(limits.uncompressedBytes);
  for (const layer of layers) {
    await unpackLayer(layer, extractor, entries, { budget, onStored: () => {}, signal: options.signal });
  }
  extractor.finish();
}

/**
 * Unpacks the image of a box into `destination`, a new or empty directory that only the caller can reach. The bytes that
 * are written are those that were compared with the digests. Takes the layout that `build` writes and no other: one image,
 * no index within the index. Far stricter than a container runtime: no whiteout, no entry
 * twice, no parent that is a symlink or comes later, no device. Set-uid bits are never written. Throws a BuildError; then
 * `destination` is gone.
 */
export async function unpackImage(
  imageDir: string,
  destination: string,
  options: UnpackOptions,
): Promise<UnpackedImage> {
  checkMembers("unpackImage", options, members);
  const limits = { ...imageLimits, ...options.limits };
  const image = await openBoxImage(imageDir, limits);
  await onFiles(outputPlace("destination"), () => prepare(destination));
  await unpackLayers(image.layers, destination, options, limits).catch(async (error: unknown) => {
    // Why it cannot be removed is the lesser news.
    await rm(destination, { recursive: true, force: true }).catch(() => {});
    throw error;
  });
  return { configDigest: image.configDigest, diffIds: image.config.diffIds };
}
