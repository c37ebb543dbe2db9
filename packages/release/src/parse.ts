import {
  canonicalJson,
  digest,
  formatSha256,
  jsonInteger,
  jsonObject,
  type JsonValue,
  parseCanonicalJson,
  utf8,
} from "@blindbox/encoding";
import { readName, readSha256, readTee, readType, readVersion } from "./fields.ts";
import type { Release, Runtime } from "./release.ts";
import { readTuples } from "./tuples.ts";

/** Bytes of a Release. Its largest part, a tuple, is under 2 KiB, and a release has one for each shape of machine. */
const MAX_RELEASE_BYTES = 262_144;

/** Nesting of a Release: `referenceValues[].registers.x` is at 4. */
const MAX_RELEASE_DEPTH = 6;

const MEMBERS: readonly string[] = [
  "app",
  "channel",
  "manifest",
  "previous",
  "product",
  "referenceValues",
  "runtime",
  "sequence",
  "type",
  "version",
];

/**
 * Reads a Release from its canonical text. Throws EncodingError for anything else: text that is not byte for byte its own
 * canonical form, unknown or missing members, an unknown version, a tuple of another TEE than the runtime's.
 * It does not check who published it: see `assessRelease`.
 */
export function parseRelease(text: string): Release {
  return readRelease(parseCanonicalJson(text, { maxBytes: MAX_RELEASE_BYTES, maxDepth: MAX_RELEASE_DEPTH }));
}

/** The canonical text of a Release: the bytes that are written and hashed. Throws EncodingError for what is none. */
export function formatRelease(release: Release): string {
  // An interface has no index signature, so the compiler does not see that a Release is JSON all through.
  const text = canonicalJson(release as unknown as JsonValue);
  parseRelease(text);
  return text;
}

/** `sha256:<hex>` of the canonical text: what the next Release calls `previous`. The text is not parsed. */
export async function releaseDigest(text: string): Promise<string> {
  return formatSha256(await digest("SHA-256", utf8(text)));
}

/** The canonical text of a runtime, as the image holds it. Throws EncodingError for what is none. */
export function formatRuntime(runtime: Runtime): string {
  const text = canonicalJson(runtime as unknown as JsonValue);
  readRuntime(parseCanonicalJson(text), "runtime");
  return text;
}

/** `sha256:<hex>` of the runtime's canonical text: what the Statement calls `runtime`. */
export async function runtimeDigest(runtime: Runtime): Promise<string> {
  return formatSha256(await digest("SHA-256", utf8(formatRuntime(runtime))));
}

function readRelease(value: JsonValue): Release {
  const release = jsonObject(value, "release", MEMBERS);
  const runtime = readRuntime(release.runtime, "runtime");
  return {
    type: readType(release.type, "type", "blindbox-release/1"),
    product: readName(release.product, "product"),
    channel: readName(release.channel, "channel"),
    version: readVersion(release.version, "version"),
    sequence: jsonInteger(release.sequence, "sequence", { min: 0, max: Number.MAX_SAFE_INTEGER }),
    runtime,
    app: { image: readSha256(jsonObject(release.app, "app", ["image"]).image, "app.image") },
    manifest: readSha256(release.manifest, "manifest"),
    referenceValues: readTuples(release.referenceValues, runtime.tee),
    previous: release.previous === null ? null : readSha256(release.previous, "previous"),
  };
}

function readRuntime(value: JsonValue | undefined, field: string): Runtime {
  const runtime = jsonObject(value, field, ["bundle", "node", "tee", "type", "version"]);
  return {
    type: readType(runtime.type, `${field}.type`, "blindbox-runtime/1"),
    version: readVersion(runtime.version, `${field}.version`),
    tee: readTee(runtime.tee, `${field}.tee`),
    bundle: readSha256(runtime.bundle, `${field}.bundle`),
    node: readSha256(runtime.node, `${field}.node`),
  };
}
