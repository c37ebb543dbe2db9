/** The steps that make, enter and configure namespaces. */
import { AT_CWD, CLONE, PRCTL } from "./kernel/constants.ts";
import { awaitByte, must, resultOf, type Step, sendByte, text } from "./program/steps.ts";

const WRITE_ONLY = 1;
const STDIN = 0;
const STDOUT = 1;

/** Whether the host lets us drop the groups that we were started with; one id alone is never allowed to. */
export interface RootOptions {
  readonly clearGroups: boolean;
}

/**
 * Makes the outer user namespace with the gate's network, then the application's network, then the inner user namespace,
 * which cannot have any below it; after each it says so and waits, while somebody outside takes hold of what was made.
 */
export function makeNamespaces(root: RootOptions): Step[] {
  return [
    must("unshare", CLONE.newUser | CLONE.newNet),
    ...handOver(),
    ...becomeRoot(root),
    must("unshare", CLONE.newNet),
    ...handOver(),
    must("unshare", CLONE.newUser),
    ...handOver(),
    // The filter forbids it too; but no number of system call is involved here.
    ...writeFiles([["/proc/sys/user/max_user_namespaces", "0"]]),
    sendByte(STDOUT),
  ];
}

function handOver(): Step[] {
  return [sendByte(STDOUT), awaitByte(STDIN)];
}

/** Enters namespaces by their descriptors; whoever does has every capability there. */
export function enter(userNamespace: number, network: number | null): Step[] {
  const net = network === null ? [] : [must("setns", network, CLONE.newNet)];
  return [must("setns", userNamespace, CLONE.newUser), ...net];
}

/** Root of the user namespace in which the program is; without it, execve would lose the capabilities. */
export function becomeRoot(root: RootOptions): Step[] {
  return [
    ...(root.clearGroups ? [must("setgroups", 0, 0)] : []),
    must("setresgid", 0, 0, 0),
    must("setresuid", 0, 0, 0),
    // A change of ids hides /proc/PID from everybody but the host's root.
    must("prctl", PRCTL.dumpable, 1, 0, 0, 0),
  ];
}

/** One file after the other, each with a single write, as /proc wants it. */
export function writeFiles(files: readonly (readonly [path: string, content: string])[]): Step[] {
  return files.flatMap(([path, content]) => {
    const open = must("openat", AT_CWD, text(path), WRITE_ONLY, 0);
    return [open, must("write", resultOf(open), text(content), content.length), must("close", resultOf(open))];
  });
}
