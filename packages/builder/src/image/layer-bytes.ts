/** The uncompressed bytes of a layer, compared with both of its digests while they pass. */
import { pipeline } from "node:stream";
import { BuildError } from "../build-error.ts";
import { compressionOf, decompressor } from "./compression.ts";
import { DigestCheck } from "./digest-check.ts";
import type { SourceLayer } from "./source-image.ts";

/** Counts down what all layers of an image may hold together once decompressed. */
export class ByteBudget {
  readonly #limit: number;
  #left: number;

  constructor(limit: number) {
    this.#limit = limit;
    this.#left = limit;
  }

  /** Throws a BuildError `limit-exceeded` when more was taken than the limit. */
  take(bytes: number): void {
    this.#left -= bytes;
    if (this.#left >= 0) return;
    const hint = "an image of this size is refused; it may be a decompression bomb";
    const problem = { field: "image", expected: `at most ${this.#limit} bytes uncompressed`, actual: "more", hint };
    throw new BuildError("limit-exceeded", problem);
  }
}

/** What happens on the way: `onStored` counts stored bytes, `budget` uncompressed ones, `signal` ends it. */
export interface LayerReading {
  readonly budget: ByteBudget;
  readonly onStored: (bytes: number) => void;
  readonly signal: AbortSignal | undefined;
}

async function* storedBytes(
  layer: SourceLayer,
  check: DigestCheck | null,
  reading: LayerReading,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of layer.file.read()) {
    reading.signal?.throwIfAborted();
    check?.update(chunk);
    reading.onStored(chunk.length);
    yield chunk;
  }
}

async function unpacked(layer: SourceLayer, stored: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const compression = await compressionOf(layer.file);
  if (compression === "none") return stored;
  const stream = decompressor(compression);
  if (stream === null) {
    const problem = { field: layer.name, expected: "a plain, gzip or zstd layer", actual: compression };
    throw new BuildError("unsupported-entry", { ...problem, hint: "save the image with gzip layers" });
  }
  // The error reaches who reads the stream: the callback only keeps it from being thrown twice.
  pipeline(stored, stream, () => {});
  return stream;
}

/**
 * Yields the uncompressed bytes. They are verified only once the generator ended without an error: its stored bytes
 * against the manifest, its uncompressed bytes against the config.
 */
export async function* layerBytes(layer: SourceLayer, reading: LayerReading): AsyncGenerator<Uint8Array> {
  const stored = storedCheck(layer);
  const plain = new DigestCheck(`${layer.name} uncompressed`, { digest: layer.diffId, size: null });
  try {
    for await (const chunk of await unpacked(layer, storedBytes(layer, stored, reading))) {
      reading.budget.take(chunk.length);
      plain.update(chunk);
      yield chunk;
    }
  } catch (error) {
    throw error instanceof BuildError || reading.signal?.aborted === true ? error : badCompression(layer, error);
  }
  stored?.finish();
  plain.finish();
}

/** Null where the other digest is over the same bytes. */
function storedCheck(layer: SourceLayer): DigestCheck | null {
  if (layer.blobDigest === null || layer.blobDigest === layer.diffId) return null;
  return new DigestCheck(`${layer.name} as stored`, { digest: layer.blobDigest, size: layer.file.size });
}

function badCompression(layer: SourceLayer, error: unknown): BuildError {
  const actual = error instanceof Error ? error.message : "other bytes";
  return new BuildError("malformed-layer", { field: layer.name, expected: "whole compressed data", actual });
}

/**
 * Throws when the stored bytes are not those that the image names. What is wrong inside a layer is told only after this
 * passed: of a damaged file the first thing to say is that it is damaged.
 */
export async function checkStored(layer: SourceLayer): Promise<void> {
  const plain = (await compressionOf(layer.file)) === "none";
  const digest = layer.blobDigest ?? (plain ? layer.diffId : null);
  if (digest === null) return;
  const check = new DigestCheck(`${layer.name} as stored`, { digest, size: layer.file.size });
  for await (const chunk of layer.file.read()) check.update(chunk);
  check.finish();
}
