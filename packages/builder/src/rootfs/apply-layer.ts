/** One layer on top of the tree (OCI image specification, "Image Layer Filesystem Changeset"). */
import { BuildError, quoted } from "../build-error.ts";
import type { ScratchFile } from "../scratch.ts";
import type { EntryBudget } from "../tar/entry-budget.ts";
import { pathParts, splitPath } from "../tar/entry-path.ts";
import type { LayerEntry, PlacedEntry, SpecialEntry } from "../tar/layer-entry.ts";
import { ensureDirectory, lookUpDirectory } from "./lookup.ts";
import { type DirectoryNode, emptyDirectory, type TreeNode } from "./tree.ts";

/** A layer in the order of its archive: where several entries have one name, the last one counts. */
export interface Layer {
  readonly entries: readonly LayerEntry[];
  /** Its uncompressed bytes. */
  readonly bytes: ScratchFile;
}

/**
 * Applies the whiteouts, which are about the layers below only, wherever they stand in their own; then the other entries
 * in order. Throws a BuildError for an entry whose parent or link target cannot be had, and when the directories that the
 * paths imply are more than `budget` has left.
 */
export function applyLayer(root: DirectoryNode, layer: Layer, budget: EntryBudget): void {
  for (const { kind, path } of layer.entries) {
    if (kind === "whiteout") hideName(root, path);
    if (kind === "opaque") hideNames(root, path);
  }
  for (const entry of layer.entries) {
    if (entry.kind !== "whiteout" && entry.kind !== "opaque") place(root, entry, layer, budget);
  }
}

function directoryAt(root: DirectoryNode, path: string): DirectoryNode | null {
  return lookUpDirectory(root, pathParts(path));
}

function hideName(root: DirectoryNode, path: string): void {
  const { parent, name } = splitPath(path);
  directoryAt(root, parent)?.names.delete(name);
}

/** A symlink below that this layer makes a directory has nothing to hide: what it led to stays. */
function hideNames(root: DirectoryNode, path: string): void {
  const { parent, name } = splitPath(path);
  const hidden = name === "" ? root : directoryAt(root, parent)?.names.get(name);
  if (hidden?.kind === "directory") hidden.names.clear();
}

function place(root: DirectoryNode, entry: PlacedEntry | SpecialEntry, layer: Layer, budget: EntryBudget): void {
  const { parent, name } = splitPath(entry.path);
  if (name === "") return describeRoot(root, entry);
  const directory = ensureDirectory(root, pathParts(parent), budget);
  directory.names.set(name, nodeOf(root, directory, directory.names.get(name), entry, layer));
}

function describeRoot(root: DirectoryNode, entry: PlacedEntry | SpecialEntry): void {
  if (entry.kind === "directory") root.metadata = entry.metadata;
  else throw new BuildError("bad-name", { field: "entry of the root", expected: "a directory", actual: entry.kind });
}

function nodeOf(
  root: DirectoryNode,
  parent: DirectoryNode,
  before: TreeNode | undefined,
  entry: PlacedEntry | SpecialEntry,
  layer: Layer,
): TreeNode {
  const { kind } = entry;
  if (kind === "hard-link") return linkedNode(root, entry.path, entry.target);
  const { metadata } = entry;
  if (kind === "symlink") return { kind, metadata, target: entry.target };
  if (kind === "special") return { kind, metadata };
  if (kind === "file")
    return { kind, metadata, content: { file: layer.bytes, offset: entry.offset, size: entry.size } };
  if (before?.kind !== "directory") return emptyDirectory(parent, metadata);
  before.metadata = metadata;
  return before;
}

function linkedNode(root: DirectoryNode, path: string, target: string): TreeNode {
  const { parent, name } = splitPath(target);
  const node = directoryAt(root, parent)?.names.get(name);
  if (node !== undefined && node.kind !== "directory") return node;
  const actual = node === undefined ? "nothing" : "a directory";
  const expected = `a file at ${quoted(target)} inside the image`;
  throw new BuildError("bad-link", { field: `hard link ${quoted(path)}`, expected, actual });
}
