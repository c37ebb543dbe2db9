/** Images of an OCI layout: `index.json`, and blobs named by their digests. */
import { BuildError } from "../build-error.ts";
import type { ImageLimits } from "../limits.ts";
import type { Descriptor } from "./descriptor.ts";
import { parseImageConfig } from "./image-config.ts";
import { findBlob, type ImageFiles, readBlob } from "./image-files.ts";
import { selectManifest } from "./select-manifest.ts";
import type { SourceImage, SourceLayer } from "./source-image.ts";

/** Plain, gzip and zstd layers of both vocabularies. Encrypted and foreign layers are not among them. */
const layerType =
  /^application\/vnd\.(oci\.image\.layer\.v1\.tar(\+gzip|\+zstd)?|docker\.image\.rootfs\.diff\.tar(\.gzip|\.zstd)?)$/;

async function openLayer(
  files: ImageFiles,
  descriptor: Descriptor,
  name: string,
  diffId: string,
): Promise<SourceLayer> {
  if (!layerType.test(descriptor.mediaType)) {
    const problem = { field: `${descriptor.field}.mediaType`, expected: "a tar layer, plain, gzip or zstd" };
    throw new BuildError("unsupported-entry", { ...problem, actual: "another media type" });
  }
  return { name, file: await findBlob(files, descriptor), blobDigest: descriptor.digest, diffId };
}

/** Reads index, manifest and config, each compared with its digest, and finds the layers. */
export async function readOciImage(files: ImageFiles, limits: ImageLimits): Promise<Omit<SourceImage, "close">> {
  const manifest = await selectManifest(files, limits);
  const config = parseImageConfig(await readBlob(files, manifest.config, limits.documentBytes));
  const count = manifest.layers.length;
  if (config.diffIds.length !== count) {
    const actual = `${config.diffIds.length}`;
    const problem = { field: "config rootfs.diff_ids", expected: `one for each of ${count} layers`, actual };
    throw new BuildError("malformed-image", problem);
  }
  const layers: SourceLayer[] = [];
  for (const [index, descriptor] of manifest.layers.entries()) {
    const name = `layer ${index + 1} of ${count}`;
    layers.push(await openLayer(files, descriptor, name, config.diffIds[index] ?? ""));
  }
  return { digest: manifest.descriptor.digest, configDigest: manifest.config.digest, config, layers };
}
