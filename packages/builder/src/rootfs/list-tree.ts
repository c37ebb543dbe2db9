import { BuildError, quoted } from "../build-error.ts";
import { maxOwnerId } from "../limits.ts";
import type { DirectoryNode, FileNode, TreeNode } from "./tree.ts";

/** One name of the flattened tree. */
export interface ListedName {
  /** Relative to the root, no leading slash. */
  readonly path: string;
  readonly node: TreeNode;
  /** For all but the first name of a file: the first one. */
  readonly linkTo: string | null;
}

/**
 * All names below the root, directories before what they hold, names ordered by their UTF-16 code units: the same order
 * on every machine, whatever its locale.
 */
export function listTree(root: DirectoryNode): readonly ListedName[] {
  const listed: ListedName[] = [];
  const firstNames = new Map<FileNode, string>();
  const visit = (directory: DirectoryNode, prefix: string): void => {
    for (const name of [...directory.names.keys()].sort()) {
      const node = directory.names.get(name);
      if (node === undefined) continue;
      const path = `${prefix}${name}`;
      const first = node.kind === "file" ? firstNames.get(node) : undefined;
      listed.push({ path, node, linkTo: first ?? null });
      if (node.kind === "file" && first === undefined) firstNames.set(node, path);
      if (node.kind === "directory") visit(node, `${path}/`);
    }
  };
  visit(root, "");
  return listed;
}

const deviceHint = "remove it in a later layer (RUN rm); the sandbox has a /dev of its own";
const ownerHint = "give the file another owner (COPY --chown, RUN chown); the sandbox maps users and groups 0 to 65535";

/** Throws for what cannot be in a box: devices and FIFOs, and owners that the sandbox does not map. */
export function checkTree(names: readonly ListedName[]): void {
  for (const { path, node } of names) {
    const field = `file ${quoted(path)}`;
    if (node.kind === "special") {
      const problem = { field, expected: "a file, directory or link", actual: "a device or FIFO", hint: deviceHint };
      throw new BuildError("unsupported-entry", problem);
    }
    const { uid, gid } = node.metadata;
    if (Math.max(uid, gid) <= maxOwnerId) continue;
    const expected = `user and group of at most ${maxOwnerId}`;
    const problem = { field, expected, actual: `${uid}:${gid}`, hint: ownerHint };
    throw new BuildError("owner-out-of-range", problem);
  }
}
