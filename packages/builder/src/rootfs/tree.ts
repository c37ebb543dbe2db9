/** The flattened file system of an image, in memory without its contents. */
import type { Content } from "../scratch.ts";
import type { Metadata } from "../tar/layer-entry.ts";

/** What a name stands for. Names that are hard links of each other hold the same node. */
export type TreeNode = FileNode | SymlinkNode | DirectoryNode | SpecialNode;

export interface FileNode {
  readonly kind: "file";
  readonly metadata: Metadata;
  readonly content: Content;
}

export interface SymlinkNode {
  readonly kind: "symlink";
  readonly metadata: Metadata;
  readonly target: string;
}

/** A device or FIFO. A tree that still holds one at the end is refused. */
export interface SpecialNode {
  readonly kind: "special";
  readonly metadata: Metadata;
}

export interface DirectoryNode {
  readonly kind: "directory";
  metadata: Metadata;
  /** Null for the root, whose `..` is itself. */
  readonly parent: DirectoryNode | null;
  readonly names: Map<string, TreeNode>;
}

/** Directories that no layer describes, because only something in them is named. */
export const impliedDirectory: Metadata = { mode: 0o755, uid: 0, gid: 0, mtime: 0 };

export function emptyDirectory(parent: DirectoryNode | null, metadata: Metadata = impliedDirectory): DirectoryNode {
  return { kind: "directory", metadata, parent, names: new Map() };
}
