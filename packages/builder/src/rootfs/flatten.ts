import { checkStored, type LayerReading, layerBytes } from "../image/layer-bytes.ts";
import type { SourceImage, SourceLayer } from "../image/source-image.ts";
import { BuildError } from "../build-error.ts";
import type { ImageLimits } from "../limits.ts";
import type { Scratch, ScratchFile } from "../scratch.ts";
import { type LayerEntry, parseEntry } from "../tar/layer-entry.ts";
import { readTar } from "../tar/read-tar.ts";
import { applyLayer, type Layer } from "./apply-layer.ts";
import { checkTree, listTree } from "./list-tree.ts";
import { type DirectoryNode, emptyDirectory } from "./tree.ts";

/** The entries that an image may still have. */
interface EntryCount {
  left: number;
}

async function* kept(bytes: AsyncIterable<Uint8Array>, file: ScratchFile): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    file.append(chunk);
    yield chunk;
  }
}

async function readEntries(
  layer: SourceLayer,
  file: ScratchFile,
  reading: LayerReading,
  count: EntryCount,
): Promise<readonly LayerEntry[]> {
  const entries: LayerEntry[] = [];
  const name = { field: layer.name, code: "malformed-layer" } as const;
  await readTar(kept(layerBytes(layer, reading), file), name, (header) => {
    count.left -= 1;
    if (count.left < 0) {
      const problem = { field: "image", expected: "fewer entries in its layers", actual: "more than the limit" };
      throw new BuildError("limit-exceeded", problem);
    }
    entries.push(parseEntry(header));
  });
  return entries;
}

async function readLayer(
  layer: SourceLayer,
  scratch: Scratch,
  reading: LayerReading,
  count: EntryCount,
): Promise<Layer> {
  const bytes = scratch.create();
  try {
    return { entries: await readEntries(layer, bytes, reading, count), bytes };
  } catch (error) {
    if (reading.signal?.aborted !== true) await checkStored(layer);
    throw error;
  }
}

/**
 * Reads and verifies all layers, keeps their bytes in `scratch`, and applies them in order. The tree that comes back holds
 * only what a box can hold. Throws a BuildError, and the signal's reason when aborted.
 */
export async function flattenImage(
  image: SourceImage,
  scratch: Scratch,
  limits: ImageLimits,
  reading: LayerReading,
): Promise<DirectoryNode> {
  const root = emptyDirectory(null);
  const count = { left: limits.entries };
  for (const layer of image.layers) applyLayer(root, await readLayer(layer, scratch, reading, count));
  checkTree(listTree(root));
  return root;
}
