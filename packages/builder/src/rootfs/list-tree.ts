import { BuildError, quoted } from "../build-error.ts";
import { boxPrefix, type ImageLimits, maxOwnerId, maxPathBytes, maxPathDepth } from "../limits.ts";
import { EntryBudget } from "../tar/entry-budget.ts";
import type { DirectoryNode, FileNode, TreeNode } from "./tree.ts";

/** One name of the flattened tree. */
export interface ListedName {
  /** Relative to the root, no leading slash. */
  readonly path: string;
  readonly node: TreeNode;
  /** For all but the first name of a file: the first one. */
  readonly linkTo: string | null;
}

/** Where a name stands: how many names its path has, and how many bytes. */
interface Place {
  readonly depth: number;
  readonly bytes: number;
}

/**
 * Visits all names below the root, directories before what they hold, names ordered by their UTF-16 code units: the same
 * order on every machine, whatever its locale. A directory that `visit` throws for is not entered.
 */
function visitTree(root: DirectoryNode, visit: (listed: ListedName, place: Place) => void): void {
  const firstNames = new Map<FileNode, string>();
  const enter = (directory: DirectoryNode, prefix: string, above: Place): void => {
    for (const name of [...directory.names.keys()].sort()) {
      const node = directory.names.get(name);
      if (node === undefined) continue;
      const path = `${prefix}${name}`;
      const place = { depth: above.depth + 1, bytes: above.bytes + Buffer.byteLength(name) };
      const first = node.kind === "file" ? firstNames.get(node) : undefined;
      visit({ path, node, linkTo: first ?? null }, place);
      if (node.kind === "file" && first === undefined) firstNames.set(node, path);
      if (node.kind === "directory") enter(node, `${path}/`, { depth: place.depth, bytes: place.bytes + 1 });
    }
  };
  enter(root, "", { depth: 0, bytes: 0 });
}

/** All names below the root, in the order in which they are written. */
export function listTree(root: DirectoryNode): readonly ListedName[] {
  const listed: ListedName[] = [];
  visitTree(root, (each) => void listed.push(each));
  return listed;
}

const deviceHint = "remove it in a later layer (RUN rm); the sandbox has a /dev of its own";
const ownerHint = "give the file another owner (COPY --chown, RUN chown); the sandbox maps users and groups 0 to 65535";

function tooLong(path: string, expected: string, actual: number): BuildError {
  return new BuildError("limit-exceeded", { field: `file ${quoted(path)}`, expected, actual: `${actual}` });
}

/** A path in the tree may be longer than the entry that made it: through a symlink, and by where it stands in the box. */
function checkPlace(path: string, { depth, bytes }: Place): void {
  const [mostNames, mostBytes] = [maxPathDepth - boxPrefix.depth, maxPathBytes - boxPrefix.bytes];
  if (depth > mostNames) throw tooLong(path, `a path of at most ${mostNames} names`, depth);
  if (bytes > mostBytes) throw tooLong(path, `a path of at most ${mostBytes} bytes`, bytes);
}

function checkNode(path: string, node: TreeNode): void {
  const field = `file ${quoted(path)}`;
  if (node.kind === "special") {
    const problem = { field, expected: "a file, directory or link", actual: "a device or FIFO", hint: deviceHint };
    throw new BuildError("unsupported-entry", problem);
  }
  const { uid, gid } = node.metadata;
  if (Math.max(uid, gid) <= maxOwnerId) return;
  const expected = `user and group of at most ${maxOwnerId}`;
  const problem = { field, expected, actual: `${uid}:${gid}`, hint: ownerHint };
  throw new BuildError("owner-out-of-range", problem);
}

/**
 * Throws for what cannot be in a box: devices and FIFOs, owners that the sandbox does not map, and paths that are too
 * long, too deep, or more together than the limits allow.
 */
export function checkTree(root: DirectoryNode, limits: ImageLimits): void {
  const budget = new EntryBudget(limits);
  visitTree(root, ({ path, node, linkTo }, place) => {
    checkPlace(path, place);
    const target = node.kind === "symlink" ? node.target : (linkTo ?? "");
    budget.takePath(boxPrefix.bytes + place.bytes + Buffer.byteLength(target));
    checkNode(path, node);
  });
}
