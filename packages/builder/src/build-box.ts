import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatManifest, type Manifest, manifestDigest } from "@blindbox/manifest";
import { type ManifestSource, parseManifestSource, resolveManifest } from "@blindbox/manifest/source";
import { simulatedReferenceValues } from "@blindbox/measure";
import { formatRelease, formatRuntime, type Release, type Runtime } from "@blindbox/release";
import { alreadyBox, type BoxDraft, boxFiles, draftBox, outDirPlace, refuseBoxDirectory } from "./box/box-directory.ts";
import { appEntries, contentBytes, runtimeEntries } from "./box/box-entries.ts";
import { readRuntimeFiles, type RuntimeFiles } from "./box/runtime-files.ts";
import { boxEntrypoint, type WrittenImage, writeImage } from "./box/write-image.ts";
import { BuildError, naming } from "./build-error.ts";
import { onFiles } from "./file-fault.ts";
import { ByteBudget } from "./image/layer-bytes.ts";
import { openImage } from "./image/open-image.ts";
import type { SourceImage } from "./image/source-image.ts";
import { imageFacts } from "./image-facts.ts";
import { type ImageLimits, imageLimits } from "./limits.ts";
import { checkMembers } from "./options.ts";
import { type BuildProgress, ProgressCounter } from "./progress.ts";
import { flattenImage } from "./rootfs/flatten.ts";
import type { DirectoryNode } from "./rootfs/tree.ts";
import { Scratch } from "./scratch.ts";

/** What a box is made of. */
export interface BuildOptions {
  /** Path of the application's image: OCI layout directory, OCI archive, or what `docker save` writes. */
  readonly source: string;
  /** The text of `blindbox.yml`. Its `app.image` is not read here: `source` is that path, resolved. */
  readonly manifestText: string;
  readonly manifestFormat: "yaml" | "json";
  /** Directory of the enclave bundle for `tee`: `main.mjs`, and other `*.mjs` beside it. */
  readonly bundleDir: string;
  /** The Node binary for linux/amd64 that goes into the box. */
  readonly nodeBinary: string;
  readonly tee: "simulated";
  /** The sandbox driver that the box is to run with. Left out: none is assumed, and the box itself refuses what it cannot do. */
  readonly driver?: "rooted" | "unprivileged";
  /** Directory in which `<name>.blindbox` is written; made where it is missing. */
  readonly outDir: string;
  /** Version of BlindBox: stands in the runtime. */
  readonly version: string;
  /** What the release says of itself. Left out: channel `development`, version `0`, sequence 0, no previous release. */
  readonly release?: Pick<Release, "channel" | "version" | "sequence" | "previous">;
  /** Called with byte counts, often. Left out: nobody is told. */
  readonly onProgress?: (progress: BuildProgress) => void;
  /** Ends the build; nothing is left behind. Left out: it runs to its end. */
  readonly signal?: AbortSignal;
  /** Bounds on the image. Left out, or in part: `imageLimits`. */
  readonly limits?: Partial<ImageLimits>;
}

/** A box that was written. */
export interface BuiltBox {
  /** Path of `<name>.blindbox`. */
  readonly directory: string;
  /** `sha256:<hex>` of the box's image manifest: the same on each run on each machine. */
  readonly imageDigest: string;
  /** `sha256:<hex>` of the resolved Manifest. */
  readonly manifestDigest: string;
  readonly release: Release;
}

/** The parts of a box before it is written. */
interface BoxParts {
  readonly root: DirectoryNode;
  readonly manifest: Manifest;
  readonly runtime: Runtime;
  readonly files: RuntimeFiles;
}

const members = {
  required: ["source", "manifestText", "manifestFormat", "bundleDir", "nodeBinary", "tee", "outDir", "version"],
  optional: ["driver", "release", "onProgress", "signal", "limits"],
};

const developmentRelease = { channel: "development", version: "0", sequence: 0, previous: null } as const;

/**
 * Builds a box: reads and verifies the source image, flattens it, resolves the Manifest, and writes
 * `<name>.blindbox/{image/, manifest.json, blindbox.release.json}` all at once, in place of an older box of that name.
 *
 * Throws a BuildError for an image or output that is refused and a ManifestError for the Manifest, also for what this
 * version cannot enforce yet; then nothing was written. Throws a TypeError for missing or unknown options.
 *
 * @example
 * const box = await buildBox({ source: "transcriber.tar", manifestText, manifestFormat: "yaml", bundleDir, nodeBinary,
 *   tee: "simulated", outDir: ".", version: "0.1.0" });
 */
export async function buildBox(options: BuildOptions): Promise<BuiltBox> {
  checkMembers("buildBox", options, members);
  if (options.tee !== "simulated") throw unsupportedTee();
  const { manifest: source } = parseManifestSource(options.manifestText, { format: options.manifestFormat });
  const draft = await draftBox(options.outDir, source.name);
  const outPlace = outDirPlace(options.outDir);
  const scratch = new Scratch(draft.scratch, outPlace);
  try {
    const parts = await readParts(options, source, scratch);
    const image = await onFiles(outPlace, () => writeBoxImage(options, draft, parts));
    const documents = await describeBox(options, parts, image);
    await onFiles(outPlace, () => writeDocuments(draft, documents));
    options.signal?.throwIfAborted();
    const directory = await draft.publish();
    return {
      directory,
      imageDigest: image.digest,
      manifestDigest: documents.release.manifest,
      release: documents.release,
    };
  } finally {
    scratch.close();
    await draft.discard();
  }
}

function unsupportedTee(): BuildError {
  const hint = "a box for hardware is worth what its Reference Values are, and this version computes none for hardware";
  const problem = { field: "tee", expected: "simulated", actual: "another TEE", hint };
  return new BuildError("not-supported-yet", problem);
}

function needsRooted(): BuildError {
  return new BuildError("driver-unsuitable", {
    field: "app.users",
    expected: "one, for the unprivileged driver",
    actual: "many",
    hint: "that driver has one user only: run the box as root with the rooted driver, or take an image that keeps its user",
  });
}

async function readParts(options: BuildOptions, source: ManifestSource, scratch: Scratch): Promise<BoxParts> {
  const files = await readRuntimeFiles(options.bundleDir, options.nodeBinary, scratch);
  const { root, manifest } = await naming(options.source, () => readApp(options, source, scratch));
  if (options.driver === "unprivileged" && manifest.app.users === "many") throw needsRooted();
  return { root, manifest, runtime: runtimeOf(options, files), files };
}

async function readApp(
  options: BuildOptions,
  source: ManifestSource,
  scratch: Scratch,
): Promise<Pick<BoxParts, "root" | "manifest">> {
  const limits = { ...imageLimits, ...options.limits };
  await refuseBoxDirectory(options.source);
  const image = await openImage(options.source, limits, options.signal);
  try {
    refuseBoxImage(image);
    const root = await readRootfs(options, image, scratch, limits);
    return { root, manifest: resolveManifest(source, imageFacts(image, root, source.app.user)) };
  } finally {
    await image.close();
  }
}

/** A box within a box would be attested as an application, and its own sandbox would not start in the outer one. */
function refuseBoxImage({ config: { entrypoint } }: SourceImage): void {
  const same = entrypoint.length === boxEntrypoint.length && entrypoint.every((word, at) => word === boxEntrypoint[at]);
  if (same) throw alreadyBox();
}

async function readRootfs(
  options: BuildOptions,
  image: SourceImage,
  scratch: Scratch,
  limits: ImageLimits,
): Promise<DirectoryNode> {
  const total = image.layers.reduce((sum, layer) => sum + layer.file.size, 0);
  const progress = new ProgressCounter("read-image", total, options.onProgress);
  return flattenImage(image, scratch, limits, {
    budget: new ByteBudget(limits.uncompressedBytes),
    onStored: (bytes) => progress.add(bytes),
    signal: options.signal,
  });
}

function runtimeOf(options: BuildOptions, files: RuntimeFiles): Runtime {
  const { bundleDigest: bundle, nodeDigest: node } = files;
  return { type: "blindbox-runtime/1", version: options.version, tee: options.tee, bundle, node };
}

async function writeBoxImage(options: BuildOptions, draft: BoxDraft, parts: BoxParts): Promise<WrittenImage> {
  const manifest = formatManifest(parts.manifest);
  const layers = [runtimeEntries(parts.files), appEntries(parts.root, manifest, formatRuntime(parts.runtime))];
  const annotations = {
    "dev.blindbox.manifest": await manifestDigest(manifest),
    "dev.blindbox.tee": options.tee,
    "org.opencontainers.image.title": parts.manifest.name,
  };
  const total = layers.reduce((sum, entries) => sum + contentBytes(entries), 0);
  const progress = new ProgressCounter("write-image", total, options.onProgress);
  return writeImage(join(draft.directory, boxFiles.image), layers, annotations, (bytes) => {
    options.signal?.throwIfAborted();
    progress.add(bytes);
  });
}

/** The two documents beside the image. */
interface BoxDocuments {
  readonly manifest: string;
  readonly release: Release;
}

async function describeBox(options: BuildOptions, parts: BoxParts, image: WrittenImage): Promise<BoxDocuments> {
  const manifest = formatManifest(parts.manifest);
  const release: Release = {
    type: "blindbox-release/1",
    product: parts.manifest.name,
    ...(options.release ?? developmentRelease),
    runtime: parts.runtime,
    app: { image: parts.manifest.app.image },
    manifest: await manifestDigest(manifest),
    referenceValues: [await simulatedReferenceValues(image)],
  };
  return { manifest, release };
}

async function writeDocuments(draft: BoxDraft, documents: BoxDocuments): Promise<void> {
  await writeFile(join(draft.directory, boxFiles.manifest), documents.manifest);
  await writeFile(join(draft.directory, boxFiles.release), formatRelease(documents.release));
}
