/** Every way out that the self-test tries, in the order in which it tries them. A table. */
import { AT_CWD, type Capability, CLONE, FAMILY, MOUNT, NETLINK, PROTOCOL, SOCKET_TYPE } from "../kernel/constants.ts";
import { DNS_PORT, GATE_ADDRESS } from "../network/addresses.ts";
import { buffer, resultOf, text, words } from "../program/steps.ts";
import { type Address, ipv4, ipv6, unix } from "./addresses.ts";
import {
  type Attempt,
  call,
  connects,
  connectsUnix,
  connectsUnixInImage,
  hasRoute,
  isAnswered,
  isTaken,
  look,
  opensSocket,
} from "./attempts.ts";
import { isUnknownName } from "./names.ts";
import { changesNetwork } from "./network-settings.ts";
import { hasMoreThan } from "./privileges.ts";

/** Things of ours on the host that nothing inside may reach; see canaries.ts. */
export interface Targets {
  readonly unixPath: string;
  readonly abstractName: string;
  readonly port: number;
  /** Addresses of the resolvers that the host uses, in dotted form. */
  readonly resolvers: readonly string[];
  /** An address on the internet and a name, both so random that no policy holds them. */
  readonly address: string;
  readonly name: string;
}

/** What the policy grants, which is no way out of it. */
export interface Granted {
  readonly ports: readonly number[];
  readonly capabilities: readonly Capability[];
}

/** By the name of the probe. */
export type ProbeTable = Readonly<Record<string, readonly Attempt[]>>;

export function probes(targets: Targets, { ports, capabilities }: Granted): ProbeTable {
  return {
    // First, as long as the program itself has opened nothing.
    "inherited-descriptors": [inheritedDescriptors()],
    "dns-resolver": resolvers(targets).flatMap((host) => [
      isAnswered(ipv4(host, DNS_PORT), ROOT_QUERY),
      isTaken(ipv4(host, DNS_PORT)),
    ]),
    "dns-tunnel": isUnknownName(ipv4(GATE_ADDRESS, DNS_PORT), targets.name),
    "ip-literal": [...literals(targets, ports), ipv4("127.0.0.1", targets.port), ipv4(GATE_ADDRESS, targets.port)].map(
      connects,
    ),
    "other-ports": otherPorts(targets, ports),
    ipv6: PUBLIC_V6.flatMap((address) => [connects(address), hasRoute(address)]),
    udp: [
      ...PUBLIC.map(({ host, port }) => ipv4(host, port)),
      ipv4("8.8.8.8", 123),
      ipv4(VIRTUAL, 443),
      ipv4(GATE_ADDRESS, targets.port),
    ].map((address) => isAnswered(address, ROOT_QUERY)),
    "metadata-address": METADATA.map(connects),
    vsock: [SOCKET_TYPE.stream, SOCKET_TYPE.datagram].map((type) => opensSocket(FAMILY.vsock, type, 0)),
    "io-uring": [[call("io_uring_setup", [1, buffer(120)], "ENOSYS", "EPERM")]],
    "raw-socket": RAW_SOCKETS.map(([family, type, protocol]) => opensSocket(family, type, protocol)),
    "packet-socket": PACKET_SOCKETS.map(([family, type, protocol]) => opensSocket(family, type, protocol)),
    "netlink-other": OTHER_NETLINK.map((protocol) => opensSocket(FAMILY.netlink, SOCKET_TYPE.raw, protocol)),
    "evidence-devices": [
      ...EVIDENCE_DEVICES.map(opens),
      ...EVIDENCE_SERVICES.map(connects),
      makesDevice("/tmp/blindbox-probe"),
      makesDevice("/blindbox-probe"),
    ],
    "unix-sockets": [
      ...[targets.unixPath, targets.abstractName, ...HOST_SOCKETS].map((name) => connectsUnix(unix(name))),
      connectsUnixInImage(unix(HOST_SOCKET_IN_VAR)),
    ],
    "new-namespaces": newNamespaces(),
    "network-settings": changesNetwork(),
    "write-rootfs": writesRootfs(),
    ptrace: otherPrograms(),
    "host-processes": [ownProcesses()],
    capabilities: hasMoreThan(capabilities),
    "kernel-interfaces": kernelInterfaces(),
  };
}

/** The servers of the root zone: every resolver knows them, and ours says nothing of them. */
const ROOT_QUERY = Uint8Array.of(0xb1, 0xbb, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1);

/** Machines that answer to everybody. */
const PUBLIC = [
  { host: "1.1.1.1", port: 443 },
  { host: "1.1.1.1", port: 80 },
  { host: "9.9.9.9", port: 443 },
] as const;
/** The last of the addresses that stand for names; none stands for any yet. */
const VIRTUAL = "198.19.255.254";
/** Of services that machines and clouds have: remote login, mail, control planes, proxies, databases, agents. */
const OTHER_PORTS = [22, 25, 2375, 3128, 5432, 6443, 8006, 8080];

function otherPorts({ address }: Targets, ports: readonly number[]): Attempt[] {
  const hosts = [GATE_ADDRESS, address, VIRTUAL];
  const closed = OTHER_PORTS.filter((port) => !ports.includes(port));
  return closed.map((port, index) => isTaken(ipv4(hosts[index % hosts.length] ?? GATE_ADDRESS, port)));
}

// On a port of the policy the policy itself may name a public address, but not one of random.
function literals({ address }: Targets, ports: readonly number[]): Address[] {
  const closed = PUBLIC.filter(({ port }) => !ports.includes(port));
  const open = ports.flatMap((port) => [ipv4(address, port), ipv4(VIRTUAL, port)]);
  return [...closed.map(({ host, port }) => ipv4(host, port)), ...open];
}

const PUBLIC_V6: readonly Address[] = [
  ipv6([0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111], 443),
  ipv6([0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8888], 53),
];
const METADATA: readonly Address[] = [
  ipv4("169.254.169.254", 80),
  ipv4("169.254.170.2", 80),
  ipv4("168.63.129.16", 80),
  ipv4("168.63.129.16", 32526),
  ipv6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 80),
];

function resolvers({ resolvers: own }: Targets): string[] {
  return ["1.1.1.1", "8.8.8.8", "127.0.0.53", VIRTUAL, ...own.filter((host) => host !== GATE_ADDRESS)];
}

const ICMP_V6 = 58;
const RAW_SOCKETS = [
  [FAMILY.inet, SOCKET_TYPE.raw, PROTOCOL.raw],
  [FAMILY.inet, SOCKET_TYPE.raw, PROTOCOL.icmp],
  [FAMILY.inet, SOCKET_TYPE.datagram, PROTOCOL.icmp],
  [FAMILY.inet6, SOCKET_TYPE.raw, ICMP_V6],
] as const;

const ALL_FRAMES = 0x0300; // ETH_P_ALL in network order
const PACKET_SOCKETS = [
  [FAMILY.packet, SOCKET_TYPE.raw, ALL_FRAMES],
  [FAMILY.packet, SOCKET_TYPE.datagram, ALL_FRAMES],
  [FAMILY.xdp, SOCKET_TYPE.raw, 0],
] as const;

const OTHER_NETLINK = Object.values(NETLINK).filter((protocol) => protocol !== NETLINK.route);

const EVIDENCE_DEVICES = [
  "/dev/sev-guest",
  "/dev/sev",
  "/dev/tdx_guest",
  "/dev/tdx-guest",
  "/dev/tdx-attest",
  "/dev/nsm",
  "/dev/tpm0",
  "/dev/tpmrm0",
  "/dev/vsock",
  "/dev/mem",
  "/sys/kernel/config/tsm/report",
  "/sys/kernel/security/tpm0",
];

/** Agents of confidential containers, which sign for whoever asks on the loopback of their network. */
const EVIDENCE_SERVICES = [ipv4("127.0.0.1", 8006), ipv4("127.0.0.1", 8080)];

/** Where the image has nothing: the sandbox's own /run. */
const HOST_SOCKETS = [
  "/run/docker.sock",
  "/run/containerd/containerd.sock",
  "/run/dbus/system_bus_socket",
  "/run/systemd/private",
  "/run/systemd/notify",
  "/run/confidential-containers/attestation-agent/attestation-agent.sock",
];
const HOST_SOCKET_IN_VAR = "/var/run/docker.sock";

function opens(path: string): Attempt {
  return [call("openat", [AT_CWD, text(path), 0, 0], "ENOENT", "ENOTDIR")];
}

const CHARACTER_DEVICE = 0o020_600;
const MEMORY_DEVICE = 0x101; // major 1, minor 1

function makesDevice(path: string): Attempt {
  return [call("mknodat", [AT_CWD, text(path), CHARACTER_DEVICE, MEMORY_DEVICE], "EPERM", "EROFS")];
}

/** Each of these entries takes 24 bytes: `.`, `..`, 0, 1, 2, and the descriptor that reads them. */
const CLEAN_DIRECTORY = 6 * 24;

function inheritedDescriptors(): Attempt {
  const open = call("openat", [AT_CWD, text("/proc/self/fd"), 0, 0]);
  const isClean = (result: number) => result === CLEAN_DIRECTORY;
  return [open, look("getdents64", [resultOf(open.step), buffer(4096), 4096], isClean)];
}

const CHILD_SIGNAL = 17;

function newNamespaces(): Attempt[] {
  const kinds = Object.values(CLONE);
  const inClone = kinds.filter((kind) => kind !== CLONE.newTime);
  const own = call("openat", [AT_CWD, text("/proc/self/ns/user"), 0, 0]);
  return [
    ...kinds.map((kind) => [call("unshare", [kind], "EPERM")]),
    ...inClone.map((kind) => [call("clone", [kind | CHILD_SIGNAL, 0, 0, 0, 0], "EPERM")]),
    [call("clone3", [words(CLONE.newUser, 0, 0, 0, CHILD_SIGNAL, 0, 0, 0), 64], "ENOSYS", "EPERM")],
    [own, call("setns", [resultOf(own.step), 0], "EPERM")],
  ];
}

const PEEK = 2;
const REAPER = 1;

function otherPrograms(): Attempt[] {
  const self = call("getpid", []);
  const vector = words(buffer(8), 8);
  const reaper = call("pidfd_open", [REAPER, 0], "ENOSYS", "EPERM");
  return [
    // Of a program that it has not attached to: where the call exists at all, that is ESRCH, and nobody is stopped by it.
    [call("ptrace", [PEEK, REAPER, 0, 0], "EPERM")],
    [self, call("process_vm_readv", [resultOf(self.step), vector, 1, vector, 1, 0], "EPERM", "ENOSYS")],
    [self, call("process_vm_writev", [resultOf(self.step), vector, 1, vector, 1, 0], "EPERM", "ENOSYS")],
    [reaper, call("pidfd_getfd", [resultOf(reaper.step), 0, 0], "EPERM")],
    ...["mem", "fd", "root", "maps", "syscall"].map((name) => opens(`/proc/${REAPER}/${name}`)),
  ];
}

/** The first process behind the reaper: of the host's processes none has this number, nor is it visible in here. */
const FIRST_INSIDE = 2;

function ownProcesses(): Attempt {
  return [look("getpid", [], (result) => result === FIRST_INSIDE)];
}

/** Calls that the filter refuses to everybody; without it each would fail in another way, or succeed. */
function kernelInterfaces(): Attempt[] {
  const refusals = ["EPERM", "ENOSYS"] as const;
  return [
    [call("bpf", [0, 0, 0], ...refusals)],
    [call("keyctl", [0, 0, 0, 0, 0], ...refusals)],
    [call("add_key", [0, 0, 0, 0, 0], ...refusals)],
    [call("userfaultfd", [NO_SUCH_FLAG], ...refusals)],
    [call("perf_event_open", [0, 0, 0, 0, NO_SUCH_FLAG], ...refusals)],
    [call("fsopen", [0, 0], ...refusals)],
    [call("open_by_handle_at", [AT_CWD, 0, 0], ...refusals)],
    opensSocket(FAMILY_ALGORITHMS, SOCKET_TYPE.raw, 0),
  ];
}

/** Makes the kernel complain of the argument (EINVAL) where it looks at it at all. */
const NO_SUCH_FLAG = 0x4000_0000;
const FAMILY_ALGORITHMS = 38; // AF_ALG

const CREATE_NEW = 0o301; // O_WRONLY | O_CREAT | O_EXCL

function writesRootfs(): Attempt[] {
  return [
    [call("openat", [AT_CWD, text("/blindbox-probe"), CREATE_NEW, 0o600], "EROFS")],
    [call("mkdirat", [AT_CWD, text("/blindbox-probe"), 0o700], "EROFS")],
    [call("mount", [text("none"), text("/"), 0, MOUNT.remount | MOUNT.bind, 0], "EPERM")],
  ];
}
