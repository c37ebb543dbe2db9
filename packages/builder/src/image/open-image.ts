import { BuildError } from "../build-error.ts";
import type { ImageLimits } from "../limits.ts";
import { compressionOf } from "./compression.ts";
import { readDockerImage } from "./docker-archive.ts";
import { openArchive } from "./image-archive.ts";
import { checkPlatform } from "./image-config.ts";
import { factsAt, openDirectory, storedFile } from "./image-directory.ts";
import type { ImageFiles } from "./image-files.ts";
import { readOciImage } from "./oci-image.ts";
import type { SourceImage } from "./source-image.ts";

const expected = "an OCI layout directory, an OCI archive or a docker archive";
const saveHint = "save it with `docker save --output image.tar REFERENCE`, and name that file";

/** `docker://…`, `name:tag`, `name@sha256:…` or `host/name`: what a registry would be asked for. */
function isReference(source: string): boolean {
  if (/^docker(-daemon)?:/.test(source)) return true;
  if (/^[./~]/.test(source) || /\.(tar|tgz|gz|zst)$/i.test(source)) return false;
  return /^[a-z0-9][a-z0-9._-]*(:\d+)?(\/[a-z0-9][a-z0-9._-]*)*(:[A-Za-z0-9_][\w.-]*|@sha256:[0-9a-f]{64})?$/.test(
    source,
  );
}

function notFound(source: string): BuildError {
  if (!isReference(source)) {
    const problem = { field: "image", expected, actual: "no such file", hint: "the path is relative to the manifest" };
    return new BuildError("image-not-found", problem);
  }
  const actual = "no such file, so a registry reference";
  const hint = `registries are not supported yet: ${saveHint}`;
  return new BuildError("registry-not-supported", { field: "image", expected, actual, hint });
}

async function openFiles(source: string, limits: ImageLimits, signal?: AbortSignal): Promise<ImageFiles> {
  const facts = await factsAt(source, "image");
  if (facts === null) throw notFound(source);
  if (facts.isDirectory()) return openDirectory(source);
  if (facts.isFile()) return openArchive(source, limits, signal);
  throw new BuildError("not-an-image", {
    field: "image",
    expected,
    actual: "something that is no file",
    hint: saveHint,
  });
}

/** An archive that is compressed as a whole would have to be unpacked to find anything in it. */
async function refuseCompressed(source: string): Promise<void> {
  const stored = await storedFile(source, "image");
  const compression = stored === null ? "none" : await compressionOf(stored);
  if (compression === "none") return;
  const problem = { field: "image", expected, actual: `a ${compression} file`, hint: "decompress it first" };
  throw new BuildError("compressed-archive", problem);
}

async function readImage(files: ImageFiles, limits: ImageLimits): Promise<Omit<SourceImage, "close">> {
  if ((await files.find("index.json")) !== null) return readOciImage(files, limits);
  const docker = files.kind === "archive" ? await files.find("manifest.json") : null;
  if (docker !== null) return readDockerImage(files, docker, limits);
  const actual = `${files.kind === "archive" ? "an archive" : "a directory"} without index.json`;
  throw new BuildError("not-an-image", { field: "image", expected, actual, hint: saveHint });
}

/**
 * Opens an image on disk: an OCI layout directory, an OCI archive, or what `docker save` writes. Index, manifest and
 * config are verified; the layers are not read yet. Throws a BuildError for everything else, and the signal's
 * reason when aborted. Close the image after use.
 */
export async function openImage(source: string, limits: ImageLimits, signal?: AbortSignal): Promise<SourceImage> {
  await refuseCompressed(source);
  const files = await openFiles(source, limits, signal);
  try {
    const image = await readImage(files, limits);
    checkPlatform(image.config);
    return { ...image, close: () => files.close() };
  } catch (error) {
    await files.close();
    throw error;
  }
}
