/** Walking the tree as a process with this root would: no symlink and no `..` leads out of it. */
import { BuildError, quoted } from "../build-error.ts";
import { maxLinkHops } from "../limits.ts";
import type { EntryBudget } from "../tar/entry-budget.ts";
import { type DirectoryNode, emptyDirectory, type TreeNode } from "./tree.ts";

interface Walk {
  hops: number;
}

function follow(root: DirectoryNode, from: DirectoryNode, target: string, walk: Walk): TreeNode | null {
  walk.hops += 1;
  if (walk.hops > maxLinkHops) return null;
  return step(root, target.startsWith("/") ? root : from, target.split("/"), walk);
}

function step(root: DirectoryNode, start: DirectoryNode, parts: readonly string[], walk: Walk): TreeNode | null {
  let node: TreeNode = start;
  for (const part of parts) {
    if (part === "" || part === ".") continue;
    if (node.kind !== "directory") return null;
    if (part === "..") {
      node = node.parent ?? node;
      continue;
    }
    const child: TreeNode | undefined = node.names.get(part);
    const next: TreeNode | null | undefined =
      child?.kind === "symlink" ? follow(root, node, child.target, walk) : child;
    if (next === undefined || next === null) return null;
    node = next;
  }
  return node;
}

/** What a path leads to, every symlink followed inside the root. Null where it leads to nothing or in circles. */
export function lookUp(root: DirectoryNode, parts: readonly string[]): TreeNode | null {
  return step(root, root, parts, { hops: 0 });
}

/** The directory that a path leads to; null where there is none. */
export function lookUpDirectory(root: DirectoryNode, parts: readonly string[]): DirectoryNode | null {
  const node = lookUp(root, parts);
  return node?.kind === "directory" ? node : null;
}

function badParent(parts: readonly string[], actual: string): BuildError {
  const problem = { field: `entry below ${quoted(parts.join("/"))}`, expected: "a directory as parent", actual };
  return new BuildError("bad-parent", problem);
}

/**
 * The directory that a path leads to, missing ones made, symlinks to existing directories followed inside the root.
 * Throws a BuildError where a file stands in the way, or a symlink that leads to no directory: container runtimes differ
 * on those, so no answer would be the right one. Each directory that is made is taken from `budget`.
 */
export function ensureDirectory(root: DirectoryNode, parts: readonly string[], budget: EntryBudget): DirectoryNode {
  let directory = root;
  const walk: Walk = { hops: 0 };
  for (const part of parts) {
    const child: TreeNode | undefined = directory.names.get(part);
    if (child === undefined) {
      budget.takeName();
      const made = emptyDirectory(directory);
      directory.names.set(part, made);
      directory = made;
      continue;
    }
    const next = child.kind === "symlink" ? follow(root, directory, child.target, walk) : child;
    if (next === null) throw badParent(parts, "a symlink that leads to nothing");
    if (next.kind !== "directory") throw badParent(parts, `a ${next.kind}`);
    directory = next;
  }
  return directory;
}
