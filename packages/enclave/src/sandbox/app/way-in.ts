/** From a child of this process to bubblewrap inside the sandbox's namespaces. */
import { AT_CWD, AT_EMPTY_PATH, AT_RECURSIVE, CLONE, MOUNT, PRCTL } from "../kernel/constants.ts";
import { attempt, bytes, must, resultOf, type Step, text, vector } from "../program/steps.ts";
import { becomeRoot, enter, type RootOptions, writeFiles } from "../programs.ts";

/** Where the image's files lie for bubblewrap when `ownMounts` is asked for. */
export const PRIVATE_SOURCE = "/tmp/rootfs";

export interface WayIn {
  /** Files of control groups that take in who writes to them. */
  readonly controlGroups: readonly string[];
  /** Root file system to place at `PRIVATE_SOURCE`, for whoever may mount on the host; else `null`. */
  readonly mountRootfs: string | null;
  readonly root: RootOptions;
  readonly descriptors: { readonly outerUser: number; readonly appNetwork: number; readonly innerUser: number };
  /** Path of bubblewrap, and its arguments. */
  readonly command: readonly [string, ...string[]];
}

const KILL = 9;

export function wayIn({ controlGroups, mountRootfs, root, descriptors, command }: WayIn): Step[] {
  return [
    // Where the machine's memory runs out, the application is to go first; it can change this back, unless the box had
    // CAP_SYS_RESOURCE.
    ...writeFiles([["/proc/self/oom_score_adj", "1000"]]),
    ...writeFiles(controlGroups.map((path) => [path, "0"])),
    ...(mountRootfs === null ? [] : placeRootfs(mountRootfs, descriptors.innerUser)),
    ...enter(descriptors.outerUser, descriptors.appNetwork),
    ...becomeRoot(root),
    must("prctl", PRCTL.parentDeathSignal, KILL, 0, 0, 0),
    must("execve", text(command[0]), vector(command), vector([])),
  ];
}

const CLONE_TREE = 1;
const MOVE_FROM_DESCRIPTOR = 4;

/**
 * A mount namespace of our own, in which the image's files lie where the outer root, who has no right to the host's
 * directories, reaches them. Where the file system can do it their owners are shifted to the ids of the application;
 * elsewhere they appear as nobody's, and only what everybody may read is readable.
 */
function placeRootfs(rootfs: string, innerUser: number): Step[] {
  const tree = must("open_tree", AT_CWD, text(rootfs), CLONE_TREE | AT_RECURSIVE);
  const none = text("none");
  const empty = text("");
  const shift = mountAttributes(innerUser);
  return [
    must("unshare", CLONE.newMount),
    must("mount", none, text("/"), 0, MOUNT.recursive | MOUNT.private, 0),
    tree,
    attempt("mount_setattr", resultOf(tree), empty, AT_EMPTY_PATH | AT_RECURSIVE, bytes(shift), shift.length),
    must("mount", text("tmpfs"), text("/tmp"), text("tmpfs"), MOUNT.noSuid | MOUNT.noDev, text("mode=0755,size=64k")),
    must("mkdirat", AT_CWD, text(PRIVATE_SOURCE), 0o755),
    must("move_mount", resultOf(tree), empty, AT_CWD, text(PRIVATE_SOURCE), MOVE_FROM_DESCRIPTOR),
    must("close", resultOf(tree)),
  ];
}

const ATTRIBUTE_ID_MAP = 0x0010_0000n;

/** struct mount_attr: attributes to set, to clear, propagation, user namespace. */
function mountAttributes(userNamespace: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(32));
  view.setBigUint64(0, ATTRIBUTE_ID_MAP, true);
  view.setBigUint64(24, BigInt(userNamespace), true);
  return new Uint8Array(view.buffer);
}
