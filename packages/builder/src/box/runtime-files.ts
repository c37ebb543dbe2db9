/** What BlindBox itself puts into a box: the Node binary and the enclave bundle. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson } from "@blindbox/encoding";
import { BuildError, quoted } from "../build-error.ts";
import { type FilePlace, fileFault, onFiles } from "../file-fault.ts";
import type { Content, Scratch } from "../scratch.ts";

/** Bytes that a file of the bundle may have; ours have under 3 MiB. */
const maxBundleBytes = 16 * 2 ** 20;

/** The native program that asks a TEE's device: in bundles for real hardware, and nothing else is executable. */
export const teeIoctlName = "tee-ioctl";

/** The files that every image of one BlindBox version and TEE holds, with their digests. */
export interface RuntimeFiles {
  readonly node: Content;
  /** `sha256:<hex>` of the binary. */
  readonly nodeDigest: string;
  /** Sorted by name. */
  readonly bundle: readonly BundleFile[];
  /** `sha256:<hex>` of the canonical JSON object from file name to `sha256:<hex>` of that file. */
  readonly bundleDigest: string;
}

export interface BundleFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly executable: boolean;
}

function runtimePlace(field: string): FilePlace {
  return { code: "bad-runtime", field, expected: "a file that can be read", hint: "install blindbox anew" };
}

function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

async function readBundleFile(directory: string, name: string): Promise<BundleFile> {
  const facts = await stat(join(directory, name));
  const named = name === teeIoctlName || /^[a-z0-9][a-z0-9-]*\.mjs$/.test(name);
  if (named && facts.isFile() && facts.size <= maxBundleBytes) return readNamed(directory, name);
  const expected = `*.mjs files and ${teeIoctlName}, of at most ${maxBundleBytes} bytes, and nothing else`;
  throw new BuildError("bad-runtime", { field: "enclave bundle", expected, actual: quoted(name) });
}

async function readNamed(directory: string, name: string): Promise<BundleFile> {
  const bytes = await readFile(join(directory, name));
  const executable = name === teeIoctlName;
  if (!executable || isX64Program(bytes)) return { name, bytes, executable };
  const problem = { field: `enclave bundle: ${name}`, expected: "a program for linux/amd64", actual: "another file" };
  throw new BuildError("bad-runtime", { ...problem, hint: "in a checkout run `npm run build` anew" });
}

async function readBundle(directory: string): Promise<readonly BundleFile[]> {
  const names: string[] = await readdir(directory).catch(() => []);
  const files = await onFiles(runtimePlace("enclave bundle"), () =>
    Promise.all(names.sort().map((name) => readBundleFile(directory, name))),
  );
  if (files.some((file) => file.name === "main.mjs")) return files;
  const problem = { field: "enclave bundle", expected: "a directory with main.mjs", actual: "none" };
  throw new BuildError("bad-runtime", { ...problem, hint: "in a checkout run `npm run build` first" });
}

/** ELF, 64 bits, little-endian, x86-64. */
function isX64Program(head: Uint8Array): boolean {
  const bytes = Buffer.from(head);
  return (
    bytes.length >= 20 && bytes.readUInt32BE(0) === 0x7f454c46 && bytes[4] === 2 && bytes.readUInt16LE(18) === 0x3e
  );
}

async function* readBinary(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>;
  } catch (error) {
    throw fileFault(runtimePlace("Node binary"), error);
  }
}

async function keepNode(path: string, scratch: Scratch): Promise<{ node: Content; nodeDigest: string }> {
  const problem = { field: "Node binary", expected: "a program for linux/amd64" };
  const facts = await stat(path).catch(() => null);
  if (facts === null || !facts.isFile()) throw new BuildError("bad-runtime", { ...problem, actual: "no such file" });
  const file = scratch.create();
  const hash = createHash("sha256");
  for await (const chunk of readBinary(path)) {
    hash.update(chunk);
    file.append(chunk);
  }
  const [head] = file.read(0, Math.min(64, file.size));
  if (head === undefined || !isX64Program(head)) {
    throw new BuildError("bad-runtime", { ...problem, actual: "another file" });
  }
  return { node: { file, offset: 0, size: file.size }, nodeDigest: `sha256:${hash.digest("hex")}` };
}

/** Reads bundle and binary once: what was hashed is what is written. Throws a BuildError `bad-runtime`. */
export async function readRuntimeFiles(bundleDir: string, nodeBinary: string, scratch: Scratch): Promise<RuntimeFiles> {
  const bundle = await readBundle(bundleDir);
  const digests = Object.fromEntries(bundle.map((file) => [file.name, sha256(file.bytes)]));
  return { ...(await keepNode(nodeBinary, scratch)), bundle, bundleDigest: sha256(canonicalJson(digests)) };
}
