/**
 * The vendor's back door, as a demonstration: copies a built box, changes one byte of the application inside its image,
 * and makes every digest of the image consistent again, so that nothing but the measurement can tell.
 */
import { createHash } from "node:crypto";
import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Descriptor {
  digest: string;
  size: number;
}

interface OciIndex {
  manifests: Descriptor[];
}

interface OciManifest {
  config: Descriptor;
  layers: Descriptor[];
}

interface OciConfig {
  rootfs: { diff_ids: string[] };
}

const sha256 = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

class Layout {
  readonly #image: string;
  constructor(image: string) {
    this.#image = image;
  }
  path(digest: string): string {
    return join(this.#image, "blobs", digest.replace(":", "/"));
  }
  readJson(digest: string): unknown {
    return JSON.parse(readFileSync(this.path(digest), "utf8"));
  }
  replace(old: string, bytes: Buffer): Descriptor {
    rmSync(this.path(old));
    const digest = sha256(bytes);
    writeFileSync(this.path(digest), bytes);
    return { digest, size: bytes.length };
  }
}

function changeByte(bytes: Buffer, marker: string, replacement: string): boolean {
  const at = bytes.indexOf(marker);
  if (at < 0 || marker.length !== replacement.length) return false;
  bytes.write(replacement, at);
  return true;
}

/** Writes a tampered copy of `boxDir` to `copyDir`; `marker` is text of the app that becomes `replacement` (same length). */
export function tamperBox(boxDir: string, copyDir: string, marker: string, replacement: string): void {
  rmSync(copyDir, { recursive: true, force: true });
  cpSync(boxDir, copyDir, { recursive: true });
  const image = join(copyDir, "image");
  const layout = new Layout(image);
  const index = JSON.parse(readFileSync(join(image, "index.json"), "utf8")) as OciIndex;
  const [entry] = index.manifests;
  if (entry === undefined) throw new Error("the image has no manifest");
  const manifest = layout.readJson(entry.digest) as OciManifest;
  const config = layout.readJson(manifest.config.digest) as OciConfig;
  const changed = manifest.layers.findIndex((layer, at) => {
    const bytes = readFileSync(layout.path(layer.digest));
    if (!changeByte(bytes, marker, replacement)) return false;
    Object.assign(layer, layout.replace(layer.digest, bytes));
    config.rootfs.diff_ids[at] = layer.digest;
    return true;
  });
  if (changed < 0) throw new Error("the text to change is in no layer");
  Object.assign(manifest.config, layout.replace(manifest.config.digest, Buffer.from(JSON.stringify(config))));
  Object.assign(entry, layout.replace(entry.digest, Buffer.from(JSON.stringify(manifest))));
  writeFileSync(join(image, "index.json.new"), JSON.stringify(index));
  renameSync(join(image, "index.json.new"), join(image, "index.json"));
}
