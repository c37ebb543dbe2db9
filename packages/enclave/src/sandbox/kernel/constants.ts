/** Values of the Linux user-space interface (uapi headers) that Node does not export. */

/** clone(2), unshare(2), setns(2). */
export const CLONE = {
  newTime: 0x80,
  newMount: 0x0002_0000,
  newCgroup: 0x0200_0000,
  newUts: 0x0400_0000,
  newIpc: 0x0800_0000,
  newUser: 0x1000_0000,
  newPid: 0x2000_0000,
  newNet: 0x4000_0000,
} as const;

/** socket(2), address families. */
export const FAMILY = {
  unix: 1,
  inet: 2,
  inet6: 10,
  netlink: 16,
  packet: 17,
  alg: 38,
  vsock: 40,
  xdp: 44,
} as const;

/** socket(2), types. */
export const SOCKET_TYPE = { stream: 1, datagram: 2, raw: 3 } as const;

/** socket(2), bits that are or-ed into the type. */
export const SOCKET_TYPE_MASK = 0xf;

/** socket(2), protocols. */
export const PROTOCOL = { default: 0, icmp: 1, tcp: 6, udp: 17, mptcp: 262, raw: 255 } as const;

/** netlink(7). Route is the only family of which an ordinary program has need (it lists interfaces). */
export const NETLINK = {
  route: 0,
  sockDiag: 4,
  xfrm: 6,
  audit: 9,
  netfilter: 12,
  uevent: 15,
  generic: 16,
  crypto: 21,
} as const;

/** mount(2). */
export const MOUNT = {
  noSuid: 2,
  noDev: 4,
  remount: 32,
  bind: 4096,
  recursive: 0x4000,
  private: 0x4_0000,
} as const;

/** prctl(2). */
export const PRCTL = {
  parentDeathSignal: 1,
  dumpable: 4,
  readBoundingSet: 23,
  dropFromBoundingSet: 24,
  readSecureBits: 27,
  secureBits: 28,
  noNewPrivileges: 38,
  noNewPrivilegesSet: 39,
  ambientCapabilities: 47,
} as const;

/** capabilities(7): those that this folder names. */
export const CAPABILITY = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_FOWNER: 3,
  CAP_FSETID: 4,
  CAP_KILL: 5,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_SETPCAP: 8,
  CAP_SYS_ADMIN: 21,
} as const;

export type Capability = keyof typeof CAPABILITY;

/** capabilities(7): uid 0 gets no capability by execve nor by a change of ids, none may be ambient; all of it locked. */
export const SECUREBITS_NO_ROOT = 0xcf;
/** capabilities(7): uid 0 keeps by execve what it has, and loses it with a change of ids; none may be ambient; locked. */
export const SECUREBITS_ROOT = 0xca;
/** capabilities(7): PR_CAP_AMBIENT_CLEAR_ALL. */
export const CLEAR_AMBIENT = 4;
/** struct __user_cap_header_struct: version 3, the thread that calls. */
export const CAPABILITY_HEADER: Uint8Array = Uint8Array.of(0x22, 0x05, 0x08, 0x20, 0, 0, 0, 0);
/** struct __user_cap_data_struct, twice: effective, permitted, inheritable; the lower 32 capabilities first. */
export const CAPABILITY_BYTES = 24;

/** openat(2) and its relatives: start at the working directory. */
export const AT_CWD = -100;
/** The descriptor itself is meant, not a path below it. */
export const AT_EMPTY_PATH = 0x1000;
/** Whole subtree (open_tree, mount_setattr). */
export const AT_RECURSIVE = 0x8000;

/** Error numbers with which the filter answers: EPERM, ENOSYS, EPROTONOSUPPORT, ESOCKTNOSUPPORT, EAFNOSUPPORT. */
export const ERRNO = {
  notPermitted: 1,
  notThere: 38,
  protocolNotSupported: 93,
  socketTypeNotSupported: 94,
  familyNotSupported: 97,
} as const;
