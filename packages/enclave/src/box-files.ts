/** The measured files that say what this box is. */
import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TeeKind } from "@blindbox/attestation";
import { type JsonValue, jsonObject, jsonString, parseCanonicalJson } from "@blindbox/encoding";
import { type Manifest, manifestDigest, parseManifest } from "@blindbox/manifest";
import { orRefuse } from "./refusal.ts";

export interface BoxFiles {
  readonly manifest: Manifest;
  /** Exact text of the Manifest. */
  readonly manifestText: string;
  /** `sha256:<hex>` of that text. */
  readonly manifestDigest: string;
  /** `sha256:<hex>` of the exact text of the runtime description. */
  readonly runtimeDigest: string;
  /** Absolute path of the application's root file system. */
  readonly rootfs: string;
}

const rebuild = "build the image again, with the same version of BlindBox";

/**
 * Reads and checks the files below `root`.
 *
 * @throws RefusalError where one is missing or not canonical, where the Manifest asks for what is not enforced yet, or
 * where the runtime was built for another TEE than `tee`.
 */
export async function readBoxFiles(root: string, tee: TeeKind): Promise<BoxFiles> {
  const manifestText = await readText(join(root, "manifest.json"));
  const manifest = await orRefuse("manifest-invalid", rebuild, () => parseManifest(manifestText));
  const runtimeText = await readText(join(root, "runtime.json"));
  await orRefuse("runtime-invalid", rebuild, () =>
    checkRuntime(parseCanonicalJson(runtimeText, { maxBytes: 65_536 }), tee),
  );
  return {
    manifest,
    manifestText,
    manifestDigest: await manifestDigest(manifestText),
    runtimeDigest: `sha256:${hash("sha256", runtimeText, "hex")}`,
    rootfs: join(root, "app/rootfs"),
  };
}

function readText(path: string): Promise<string> {
  return orRefuse("files-unreadable", rebuild, async () =>
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await readFile(path)),
  );
}

// The digests inside are for whoever holds the Release; what the box itself must know is which TEE it was built for.
function checkRuntime(value: JsonValue, tee: TeeKind): void {
  const members = jsonObject(value, "runtime", ["type", "version", "tee", "bundle", "node"]);
  expectText("runtime.type", "blindbox-runtime/1", jsonString(members["type"] ?? null, "runtime.type"));
  expectText("runtime.tee", tee, jsonString(members["tee"] ?? null, "runtime.tee"));
}

function expectText(path: string, expected: string, actual: string): void {
  if (actual !== expected) throw new TypeError(`${path}: expected ${expected}, found ${actual.slice(0, 40)}`);
}
