/** The image of a box as an OCI layout: uncompressed layers, since compressors change their output between versions. */
import { createHash } from "node:crypto";
import { mkdir, open, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, type JsonValue } from "@blindbox/encoding";
import { boxMediaTypes } from "../image/box-image.ts";
import { blobName } from "../image/descriptor.ts";
import { type TarEntry, writeTar } from "../tar/write-tar.ts";
import { boxRoot } from "./box-entries.ts";

/** What identifies the written image. */
export interface WrittenImage {
  /** `sha256:<hex>` of the image manifest. */
  readonly digest: string;
  readonly configDigest: string;
  /** Digests of the layers, which are uncompressed, lowest first. */
  readonly diffIds: readonly string[];
}

interface Blob {
  readonly digest: string;
  readonly size: number;
}

const writeBytes = 1 << 20;

/** Gathers small chunks, so that a header costs no system call of its own. */
function* gathered(chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  let pending: Uint8Array[] = [];
  let size = 0;
  for (const chunk of chunks) {
    pending.push(chunk);
    size += chunk.length;
    if (size < writeBytes) continue;
    yield Buffer.concat(pending);
    pending = [];
    size = 0;
  }
  yield Buffer.concat(pending);
}

async function writeBlob(
  image: string,
  chunks: Iterable<Uint8Array>,
  onWritten: (bytes: number) => void,
): Promise<Blob> {
  const partial = join(image, "blobs", "partial");
  const hash = createHash("sha256");
  let size = 0;
  const file = await open(partial, "wx");
  try {
    for (const bytes of gathered(chunks)) {
      hash.update(bytes);
      await file.writeFile(bytes);
      size += bytes.length;
      onWritten(bytes.length);
    }
  } finally {
    await file.close();
  }
  const digest = `sha256:${hash.digest("hex")}`;
  await rename(partial, join(image, blobName(digest)));
  return { digest, size };
}

async function writeDocument(image: string, value: JsonValue): Promise<Blob> {
  return writeBlob(image, [Buffer.from(canonicalJson(value))], () => {});
}

/** How every box starts. */
export const boxEntrypoint: readonly string[] = [`/${boxRoot}/node`, `/${boxRoot}/enclave/main.mjs`];

/** No label, no history, no time of its own: nothing that would differ between two builds of the same box. */
function imageConfig(diffIds: readonly string[]): JsonValue {
  return {
    created: "1970-01-01T00:00:00Z",
    architecture: "amd64",
    os: "linux",
    config: {
      User: "0:0",
      Entrypoint: boxEntrypoint,
      WorkingDir: "/",
    },
    rootfs: { type: "layers", diff_ids: diffIds },
  };
}

function descriptor(mediaType: string, { digest, size }: Blob): { [member: string]: JsonValue } {
  return { mediaType, digest, size };
}

/**
 * Writes an OCI layout into the new directory `image`: one layer for each list of entries. `annotations` go into manifest
 * and index. The same entries and annotations give the same bytes. `onWritten` counts layer bytes.
 */
export async function writeImage(
  image: string,
  layers: readonly (readonly TarEntry[])[],
  annotations: Readonly<Record<string, string>>,
  onWritten: (bytes: number) => void,
): Promise<WrittenImage> {
  await mkdir(join(image, "blobs", "sha256"), { recursive: true });
  const blobs: Blob[] = [];
  for (const entries of layers) blobs.push(await writeBlob(image, writeTar(entries), onWritten));
  const diffIds = blobs.map((blob) => blob.digest);
  const config = await writeDocument(image, imageConfig(diffIds));
  const manifest = await writeDocument(image, {
    schemaVersion: 2,
    mediaType: boxMediaTypes.manifest,
    config: descriptor(boxMediaTypes.config, config),
    layers: blobs.map((blob) => descriptor(boxMediaTypes.layer, blob)),
    annotations,
  });
  const platform = { os: "linux", architecture: "amd64" };
  const entry = { ...descriptor(boxMediaTypes.manifest, manifest), platform, annotations };
  const index = { schemaVersion: 2, mediaType: boxMediaTypes.index, manifests: [entry] };
  await writeFile(join(image, "index.json"), canonicalJson(index));
  await writeFile(join(image, "oci-layout"), canonicalJson({ imageLayoutVersion: "1.0.0" }));
  return { digest: manifest.digest, configDigest: config.digest, diffIds };
}
