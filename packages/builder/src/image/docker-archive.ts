/** Archives of `docker save` before OCI: `manifest.json`, a config named by its digest, and layers named freely. */
import { BuildError, quoted } from "../build-error.ts";
import type { ImageLimits } from "../limits.ts";
import { DigestCheck } from "./digest-check.ts";
import { parseImageConfig } from "./image-config.ts";
import { type ImageFiles, readAll, type StoredFile } from "./image-files.ts";
import { type JsonObject, listAt, objectAt, parseDocument, textAt } from "./json-fields.ts";
import type { SourceImage } from "./source-image.ts";

async function findNamed(files: ImageFiles, name: string, field: string): Promise<StoredFile> {
  const file = await files.find(name);
  if (file !== null) return file;
  const hint = "save the image again, whole";
  throw new BuildError("blob-missing", { field, expected: quoted(name), actual: "no such file", hint });
}

/** The digest that the config's name claims: `<hex>.json`, or `blobs/sha256/<hex>`. */
function digestOfName(name: string): string {
  const hex = /^(?:blobs\/sha256\/)?([0-9a-f]{64})(?:\.json)?$/.exec(name)?.[1];
  if (hex !== undefined) return `sha256:${hex}`;
  const problem = { field: "manifest.json Config", expected: "a name that is its SHA-256", actual: quoted(name) };
  throw new BuildError("malformed-image", problem);
}

async function readOnlyImage(stored: StoredFile, limits: ImageLimits): Promise<JsonObject> {
  const bytes = await readAll(stored, "manifest.json", limits.documentBytes);
  const images = listAt(parseDocument(bytes, "manifest.json"), "manifest.json");
  if (images.length === 1) return objectAt(images[0], "manifest.json[0]");
  const hint = "save one image to a file of its own";
  const problem = { field: "manifest.json", expected: "one image", actual: `${images.length}`, hint };
  throw new BuildError("ambiguous-image", problem);
}

function checkCount(layers: number, diffIds: number, limits: ImageLimits): void {
  if (layers > limits.layers) {
    const problem = { field: "image", expected: `at most ${limits.layers} layers`, actual: `${layers}` };
    throw new BuildError("limit-exceeded", problem);
  }
  if (layers === diffIds) return;
  const problem = {
    field: "config rootfs.diff_ids",
    expected: `one for each of ${layers} layers`,
    actual: `${diffIds}`,
  };
  throw new BuildError("malformed-image", problem);
}

/** Reads `manifest.json` and the config that it names. The layers have no digest of their own there, only diff ids. */
export async function readDockerImage(
  files: ImageFiles,
  stored: StoredFile,
  limits: ImageLimits,
): Promise<Omit<SourceImage, "close">> {
  const image = await readOnlyImage(stored, limits);
  const name = textAt(image["Config"], "manifest.json Config");
  const digest = digestOfName(name);
  const bytes = await readAll(await findNamed(files, name, "manifest.json Config"), "config", limits.documentBytes);
  const check = new DigestCheck("image config", { digest, size: null });
  check.update(bytes);
  check.finish();
  const config = parseImageConfig(bytes);
  const names = listAt(image["Layers"], "manifest.json Layers");
  checkCount(names.length, config.diffIds.length, limits);
  const layers = config.diffIds.map(async (diffId, index) => {
    const field = `manifest.json Layers[${index}]`;
    const file = await findNamed(files, textAt(names[index], field), field);
    return { name: `layer ${index + 1} of ${names.length}`, file, blobDigest: null, diffId };
  });
  return { digest, configDigest: digest, config, layers: await Promise.all(layers) };
}
