/** The two documents beside the image: for clients, who must not be given those of another box. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { MAX_MANIFEST_BYTES, manifestDigest, parseManifest } from "@blindbox/manifest";
import { formatRuntime, parseRelease, type Release } from "@blindbox/release";
import { boxRoot } from "../box/box-entries.ts";
import { boxFiles } from "../box/box-directory.ts";
import { BuildError } from "../build-error.ts";
import { imagePlace, onFiles } from "../file-fault.ts";
import { factsAt } from "../image/image-directory.ts";

/** Manifest and release as they stand beside the image. */
export interface BoxDocuments {
  /** Exact text. */
  readonly manifest: string;
  /** `sha256:<hex>` of the application's image, as the Manifest says it. */
  readonly appImage: string;
  readonly release: Release;
}

/** Bytes of a release; ours have under 2 KiB. */
const maxReleaseBytes = 2 ** 20;

function differs(field: string, expected: string, actual: string): BuildError {
  return new BuildError("documents-differ", { field, expected, actual, hint: "build it again with `blindbox build`" });
}

async function readDocument(boxDir: string, name: string, maxBytes: number): Promise<string> {
  const path = join(boxDir, name);
  const facts = await factsAt(path, name);
  if (facts?.isFile() !== true) throw differs(name, "a file", facts === null ? "none" : "something that is no file");
  if (facts.size === 0) throw differs(name, "a document", "an empty file");
  if (facts.size > maxBytes) throw differs(name, `at most ${maxBytes} bytes`, `${facts.size} bytes`);
  const bytes = await onFiles(imagePlace(name), () => readFile(path));
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw differs(name, "a document in UTF-8", "other bytes");
  }
}

function appImageOf(manifest: string): string {
  try {
    return parseManifest(manifest).app.image;
  } catch {
    throw differs(boxFiles.manifest, "a Manifest as `blindbox build` writes it", "another text");
  }
}

function readRelease(text: string): Release {
  try {
    return parseRelease(text);
  } catch (error) {
    const actual = error instanceof Error ? error.message : "another text";
    throw differs(boxFiles.release, "a release as `blindbox build` writes it", actual);
  }
}

/** Reads both. Throws a BuildError `documents-differ` for what is damaged. */
export async function readBoxDocuments(boxDir: string): Promise<BoxDocuments> {
  const manifest = await readDocument(boxDir, boxFiles.manifest, MAX_MANIFEST_BYTES);
  const release = readRelease(await readDocument(boxDir, boxFiles.release, maxReleaseBytes));
  return { manifest, appImage: appImageOf(manifest), release };
}

/**
 * Compares them with what the image holds, which was verified and unpacked into `image`. Throws a BuildError
 * `documents-differ` where they are those of another box. The release's reference values are not compared: what the device
 * measured is for clients to judge.
 */
export async function checkBoxDocuments(documents: BoxDocuments, image: string): Promise<void> {
  const { manifest, appImage, release } = documents;
  const held = (name: string): Promise<string> => readFile(join(image, boxRoot, name), "utf8");
  if (manifest !== (await held("manifest.json"))) {
    throw differs(boxFiles.manifest, "the Manifest that is in the image", "another text");
  }
  const others = {
    Manifest: release.manifest !== (await manifestDigest(manifest)),
    application: release.app.image !== appImage,
    runtime: formatRuntime(release.runtime) !== (await held("runtime.json")),
  };
  const [other] = Object.entries(others).find(([, isOther]) => isOther) ?? [];
  if (other !== undefined) throw differs(boxFiles.release, "the release of this image", `that of another ${other}`);
}
