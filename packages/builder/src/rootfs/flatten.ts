import { checkStored, type LayerReading, layerBytes } from "../image/layer-bytes.ts";
import type { SourceImage, SourceLayer } from "../image/source-image.ts";
import type { ImageLimits } from "../limits.ts";
import type { Scratch, ScratchFile } from "../scratch.ts";
import { EntryBudget } from "../tar/entry-budget.ts";
import { type LayerEntry, parseEntry } from "../tar/layer-entry.ts";
import { readTar } from "../tar/read-tar.ts";
import { applyLayer, type Layer } from "./apply-layer.ts";
import { checkTree } from "./list-tree.ts";
import { type DirectoryNode, emptyDirectory } from "./tree.ts";

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
  budget: EntryBudget,
): Promise<readonly LayerEntry[]> {
  const entries: LayerEntry[] = [];
  const name = { field: layer.name, code: "malformed-layer" } as const;
  await readTar(kept(layerBytes(layer, reading), file), name, (header) => {
    const entry = parseEntry(header);
    budget.take(entry);
    entries.push(entry);
  });
  return entries;
}

async function readLayer(
  layer: SourceLayer,
  scratch: Scratch,
  reading: LayerReading,
  budget: EntryBudget,
): Promise<Layer> {
  const bytes = scratch.create();
  try {
    return { entries: await readEntries(layer, bytes, reading, budget), bytes };
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
  const budget = new EntryBudget(limits);
  for (const layer of image.layers) {
    applyLayer(root, await readLayer(layer, scratch, reading, budget), budget);
  }
  checkTree(root, limits);
  return root;
}
