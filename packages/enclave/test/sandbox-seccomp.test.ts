/** The filter, run by a machine that knows nothing of how it was made. The numbers here are Linux's, written out again. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { appFilter } from "../src/sandbox/seccomp/compile.ts";
import { decode, run } from "./fixtures-sandbox/bpf-machine.ts";

const X86_64 = 0xc000003e;
const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const errno = (value: number): number => 0x00050000 + value;
const [EPERM, ENOSYS, EPROTONOSUPPORT, ESOCKTNOSUPPORT, EAFNOSUPPORT] = [1, 38, 93, 94, 97].map(errno);

const rows = decode(appFilter());
const ask = (number: number, ...args: (number | bigint)[]): number =>
  run(rows, { number, architecture: X86_64, args: [...args, 0, 0, 0, 0, 0, 0].slice(0, 6).map(BigInt) });

/** By number, so that a wrong number in the table of names is found out. */
const REFUSED: Readonly<Record<number, string>> = {
  101: "ptrace",
  103: "syslog",
  134: "uselib",
  136: "ustat",
  139: "sysfs",
  153: "vhangup",
  154: "modify_ldt",
  155: "pivot_root",
  156: "_sysctl",
  159: "adjtimex",
  161: "chroot",
  163: "acct",
  164: "settimeofday",
  165: "mount",
  166: "umount2",
  167: "swapon",
  168: "swapoff",
  169: "reboot",
  170: "sethostname",
  171: "setdomainname",
  172: "iopl",
  173: "ioperm",
  174: "create_module",
  175: "init_module",
  176: "delete_module",
  177: "get_kernel_syms",
  178: "query_module",
  179: "quotactl",
  180: "nfsservctl",
  212: "lookup_dcookie",
  227: "clock_settime",
  237: "mbind",
  238: "set_mempolicy",
  239: "get_mempolicy",
  246: "kexec_load",
  248: "add_key",
  249: "request_key",
  250: "keyctl",
  256: "migrate_pages",
  272: "unshare",
  279: "move_pages",
  298: "perf_event_open",
  300: "fanotify_init",
  301: "fanotify_mark",
  303: "name_to_handle_at",
  304: "open_by_handle_at",
  305: "clock_adjtime",
  308: "setns",
  310: "process_vm_readv",
  311: "process_vm_writev",
  312: "kcmp",
  313: "finit_module",
  320: "kexec_file_load",
  321: "bpf",
  323: "userfaultfd",
  428: "open_tree",
  429: "move_mount",
  430: "fsopen",
  431: "fsconfig",
  432: "fsmount",
  433: "fspick",
  438: "pidfd_getfd",
  440: "process_madvise",
  442: "mount_setattr",
  443: "quotactl_fd",
  450: "set_mempolicy_home_node",
};
const HIDDEN: Readonly<Record<number, string>> = {
  425: "io_uring_setup",
  426: "io_uring_enter",
  427: "io_uring_register",
  435: "clone3",
  457: "statmount",
  458: "listmount",
};
/** Decided by their arguments. */
const LOOKED_AT = [16, 41, 53, 56, 135];

test("every number is refused, hidden, looked at, or allowed, exactly as listed", () => {
  for (let number = 0; number < 1024; number += 1) {
    if (LOOKED_AT.includes(number)) continue;
    const hidden = number in HIDDEN || (number >= 335 && number <= 423) || number > 466;
    const expected = number in REFUSED ? EPERM : hidden ? ENOSYS : ALLOW;
    expect(ask(number), `system call ${number}`).toBe(expected);
  }
});

test("no argument changes what becomes of a call that is not looked at", () => {
  const number = fc.integer({ min: 0, max: 500 }).filter((value) => !LOOKED_AT.includes(value));
  fc.assert(
    fc.property(
      number,
      fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { minLength: 6, maxLength: 6 }),
      (call, args) => {
        expect(ask(call, ...args)).toBe(ask(call));
      },
    ),
  );
});

test("another architecture, and the x32 calls of this one, are killed whatever they ask for", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 600 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }), (number, architecture) => {
      fc.pre(architecture !== X86_64);
      expect(run(rows, { number, architecture, args: [] })).toBe(KILL);
      expect(ask(0x4000_0000 + number)).toBe(KILL);
    }),
  );
  for (const architecture of [0x4000_0003, 0xc000_00b7])
    expect(run(rows, { number: 39, architecture, args: [] })).toBe(KILL);
  for (const number of [-1, -2, 0x7fff_ffff, 0x4000_0000]) expect(ask(number)).toBe(KILL);
});

describe("a socket", () => {
  const [SOCKET, SOCKETPAIR] = [41, 53];
  const flags = fc.constantFrom(0, 0x800, 0x80000, 0x80800);
  const garbage = fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((upper) => upper << 32n);

  test("is of the Unix, IPv4, IPv6 or route family, and else of none", () => {
    for (let family = 0; family < 256; family += 1) {
      const expected = [1, 2, 10, 16].includes(family) ? ALLOW : EAFNOSUPPORT;
      expect(ask(SOCKET, family, 1, 0), `family ${family}`).toBe(expected);
      expect(ask(SOCKETPAIR, family, 1, 0), `pair of family ${family}`).toBe(family === 1 ? ALLOW : EAFNOSUPPORT);
    }
  });

  test("of the internet speaks TCP or UDP, whatever flags and upper halves come with it", () => {
    const kind = fc.record({ type: fc.integer({ min: 0, max: 15 }), protocol: fc.integer({ min: 0, max: 300 }) });
    fc.assert(
      fc.property(fc.constantFrom(2, 10), kind, flags, garbage, (family, { type, protocol }, flag, upper) => {
        const expected = ![1, 2].includes(type)
          ? ESOCKTNOSUPPORT
          : [0, 6, 17, 262].includes(protocol)
            ? ALLOW
            : EPROTONOSUPPORT;
        expect(ask(SOCKET, upper | BigInt(family), upper | BigInt(type | flag), upper | BigInt(protocol))).toBe(
          expected,
        );
      }),
    );
  });

  test("of netlink is for routes only", () => {
    for (let protocol = 0; protocol < 32; protocol += 1) {
      expect(ask(SOCKET, 16, 3, protocol)).toBe(protocol === 0 ? ALLOW : EPROTONOSUPPORT);
    }
  });
});

test("clone makes processes and threads, but no namespace, and the upper half of its flags changes nothing", () => {
  const namespaces = [0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000];
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
      const asked = namespaces.some((bit) => (value & BigInt(bit)) !== 0n);
      expect(ask(56, value)).toBe(asked ? EPERM : ALLOW);
    }),
  );
  for (const bit of namespaces) expect(ask(56, bit | 17)).toBe(EPERM);
  expect(ask(56, 0x003d_0f00)).toBe(ALLOW);
  expect(ask(56, 17)).toBe(ALLOW);
});

test("a terminal cannot be typed into, and the personality stays", () => {
  for (const request of [0x5412, 0x541c]) {
    expect(ask(16, 0, request)).toBe(EPERM);
    expect(ask(16, 0, (0xffn << 32n) | BigInt(request))).toBe(EPERM);
  }
  for (const request of [0x5401, 0x5413, 0x541b]) expect(ask(16, 1, request)).toBe(ALLOW);
  for (const persona of [0, 0xffff_ffff]) expect(ask(135, persona)).toBe(ALLOW);
  for (const persona of [8, 0x0040000, 0x0400000]) expect(ask(135, persona)).toBe(EPERM);
});

test("what programs need every day is allowed", () => {
  const everyday = {
    read: 0,
    mmap: 9,
    rt_sigaction: 13,
    futex: 202,
    epoll_wait: 232,
    execve: 59,
    openat: 257,
    wait4: 61,
    memfd_create: 319,
    seccomp: 317,
    statx: 332,
    rseq: 334,
    pidfd_open: 434,
    close_range: 436,
    openat2: 437,
    epoll_pwait2: 441,
    landlock_restrict_self: 446,
    futex_waitv: 449,
    prlimit64: 302,
    getrandom: 318,
    eventfd2: 290,
  };
  for (const [name, number] of Object.entries(everyday)) expect(ask(number), name).toBe(ALLOW);
});

test("the kernel can load it: it is short enough, every jump lands inside, and no path runs off the end", () => {
  expect(rows.length).toBeLessThan(4096);
  for (const [index, { code, ifTrue, ifFalse }] of rows.entries()) {
    if (![0x15, 0x25, 0x45].includes(code)) continue;
    expect(index + 1 + Math.max(ifTrue, ifFalse)).toBeLessThan(rows.length);
  }
  expect(rows.at(-1)?.code).toBe(0x06);
});
