/** What stands where in the image of a box. Two layers, so that boxes of one BlindBox version share the first. */
import type { ListedName } from "../rootfs/list-tree.ts";
import type { DirectoryNode } from "../rootfs/tree.ts";
import { listTree } from "../rootfs/list-tree.ts";
import type { Content } from "../scratch.ts";
import type { Metadata } from "../tar/layer-entry.ts";
import type { TarEntry } from "../tar/write-tar.ts";
import type { RuntimeFiles } from "./runtime-files.ts";

/** Directory of the image under which everything is. */
export const boxRoot = "blindbox";
/** Below `boxRoot`. */
export const appRootfs = "app/rootfs";

/** Our own files: root's, time 0. */
const directoryMetadata: Metadata = { mode: 0o755, uid: 0, gid: 0, mtime: 0 };
const fileMetadata: Metadata = { mode: 0o644, uid: 0, gid: 0, mtime: 0 };

function directory(name: string): TarEntry {
  return { kind: "directory", name, metadata: directoryMetadata };
}

const programMetadata: Metadata = { ...fileMetadata, mode: 0o755 };

function file(name: string, bytes: Uint8Array, metadata: Metadata = fileMetadata): TarEntry {
  return { kind: "file", name, metadata, size: bytes.length, content: () => [bytes] };
}

function stored(name: string, metadata: Metadata, content: Content): TarEntry {
  const { size, offset } = content;
  return { kind: "file", name, metadata, size, content: () => content.file.read(offset, size) };
}

/** The layer that is the same for every application. */
export function runtimeEntries(runtime: RuntimeFiles): readonly TarEntry[] {
  return [
    directory(boxRoot),
    directory(`${boxRoot}/enclave`),
    ...runtime.bundle.map(({ name, bytes, executable }) =>
      file(`${boxRoot}/enclave/${name}`, bytes, executable ? programMetadata : fileMetadata),
    ),
    stored(`${boxRoot}/node`, programMetadata, runtime.node),
  ];
}

function appEntry(prefix: string, { path, node, linkTo }: ListedName): TarEntry {
  const name = `${prefix}/${path}`;
  const { metadata } = node;
  if (linkTo !== null) return { kind: "hard-link", name, metadata, target: `${prefix}/${linkTo}` };
  if (node.kind === "symlink") return { kind: "symlink", name, metadata, target: node.target };
  if (node.kind === "directory") return { kind: "directory", name, metadata };
  if (node.kind === "file") return stored(name, metadata, node.content);
  throw new TypeError("a tree with a device or FIFO was not checked");
}

/** The layer of one application: its flattened root file system, and the documents that say what it may do. */
export function appEntries(root: DirectoryNode, manifest: string, runtime: string): readonly TarEntry[] {
  const prefix = `${boxRoot}/${appRootfs}`;
  return [
    directory(boxRoot),
    directory(`${boxRoot}/app`),
    { kind: "directory", name: prefix, metadata: root.metadata },
    ...listTree(root).map((listed) => appEntry(prefix, listed)),
    file(`${boxRoot}/manifest.json`, Buffer.from(manifest)),
    file(`${boxRoot}/runtime.json`, Buffer.from(runtime)),
  ];
}

/** Bytes of the files among the entries. */
export function contentBytes(entries: readonly TarEntry[]): number {
  return entries.reduce((sum, entry) => sum + (entry.kind === "file" ? entry.size : 0), 0);
}
