/** System calls that are refused whatever their arguments are. A table. */
import { ERRNO } from "../kernel/constants.ts";
import type { SyscallName } from "../kernel/syscalls.ts";

/** What becomes of a call. */
export type Verdict = "allow" | { readonly errno: number };

export const NOT_PERMITTED: Verdict = Object.freeze({ errno: ERRNO.notPermitted });
export const NOT_THERE: Verdict = Object.freeze({ errno: ERRNO.notThere });

export interface Refusal {
  readonly why: string;
  readonly verdict: Verdict;
  readonly calls: readonly SyscallName[];
}

/** Each list says what it would open. */
export const REFUSED: readonly Refusal[] = [
  {
    why: "the filter cannot see the flags of clone3, nor what io_uring submits: a socket, for instance, of any family",
    verdict: NOT_THERE,
    calls: ["clone3", "io_uring_setup", "io_uring_enter", "io_uring_register"],
  },
  {
    why: "namespaces, in which the application would be root",
    verdict: NOT_PERMITTED,
    calls: ["unshare", "setns"],
  },
  {
    why: "mounts, and a root directory of its own",
    verdict: NOT_PERMITTED,
    calls: [
      "mount",
      "umount2",
      "pivot_root",
      "chroot",
      "open_tree",
      "move_mount",
      "fsopen",
      "fsconfig",
      "fsmount",
      "fspick",
      "mount_setattr",
      "quotactl",
      "quotactl_fd",
      "swapon",
      "swapoff",
      "sysfs",
      "nfsservctl",
    ],
  },
  {
    why: "news of mounts, which no program needs yet",
    verdict: NOT_THERE,
    calls: ["statmount", "listmount"],
  },
  {
    why: "other programs' memory, descriptors and files by handle",
    verdict: NOT_PERMITTED,
    calls: [
      "ptrace",
      "process_vm_readv",
      "process_vm_writev",
      "process_madvise",
      "pidfd_getfd",
      "kcmp",
      "name_to_handle_at",
      "open_by_handle_at",
      "fanotify_init",
      "fanotify_mark",
      "lookup_dcookie",
    ],
  },
  {
    why: "parts of the kernel with a long record of holes, and no use to a server",
    verdict: NOT_PERMITTED,
    calls: [
      "bpf",
      "perf_event_open",
      "userfaultfd",
      "keyctl",
      "add_key",
      "request_key",
      "modify_ldt",
      "uselib",
      "ustat",
      "mbind",
      "set_mempolicy",
      "get_mempolicy",
      "migrate_pages",
      "move_pages",
      "set_mempolicy_home_node",
    ],
  },
  {
    why: "the machine itself: modules, another kernel, clock, ports, names, log",
    verdict: NOT_PERMITTED,
    calls: [
      "init_module",
      "finit_module",
      "delete_module",
      "create_module",
      "get_kernel_syms",
      "query_module",
      "_sysctl",
      "kexec_load",
      "kexec_file_load",
      "reboot",
      "iopl",
      "ioperm",
      "settimeofday",
      "clock_settime",
      "clock_adjtime",
      "adjtimex",
      "sethostname",
      "setdomainname",
      "syslog",
      "acct",
      "vhangup",
    ],
  },
];
