/** Which system calls the application may make. A table; `compile.ts` turns it into a filter. */
import { CLONE, ERRNO, FAMILY, NETLINK, PROTOCOL, SOCKET_TYPE, SOCKET_TYPE_MASK } from "../kernel/constants.ts";
import type { SyscallName } from "../kernel/syscalls.ts";
import { NOT_PERMITTED, NOT_THERE, REFUSED, type Verdict } from "./refused.ts";

/** A look at one argument (its low 32 bits, after `mask`), and what follows from it. */
export interface Look {
  readonly argument: number;
  readonly mask?: number;
  readonly isOneOf?: readonly number[];
  readonly hasAnyBit?: number;
  readonly then: Decision;
  readonly otherwise: Decision;
}

export type Decision = Verdict | Look;

// CLONE_NEWTIME is no flag of clone: its bit belongs to the exit signal there.
const NEW_NAMESPACES =
  CLONE.newMount | CLONE.newCgroup | CLONE.newUts | CLONE.newIpc | CLONE.newUser | CLONE.newPid | CLONE.newNet;

/** What an internet socket may be: TCP or UDP (MPTCP is TCP on the wire, and falls back to it). */
const INTERNET_SOCKET: Decision = {
  argument: 1,
  mask: SOCKET_TYPE_MASK,
  isOneOf: [SOCKET_TYPE.stream, SOCKET_TYPE.datagram],
  then: {
    argument: 2,
    isOneOf: [PROTOCOL.default, PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.mptcp],
    then: "allow",
    otherwise: { errno: ERRNO.protocolNotSupported },
  },
  otherwise: { errno: ERRNO.socketTypeNotSupported },
};

const SOCKET: Decision = {
  argument: 0,
  isOneOf: [FAMILY.unix],
  then: "allow",
  otherwise: {
    argument: 0,
    isOneOf: [FAMILY.inet, FAMILY.inet6],
    then: INTERNET_SOCKET,
    otherwise: {
      argument: 0,
      isOneOf: [FAMILY.netlink],
      then: { argument: 2, isOneOf: [NETLINK.route], then: "allow", otherwise: { errno: ERRNO.protocolNotSupported } },
      otherwise: { errno: ERRNO.familyNotSupported },
    },
  },
};

/** Typing into a terminal on behalf of whoever reads it. */
const TERMINAL_INJECTION = [0x5412, 0x541c]; // TIOCSTI, TIOCLINUX
/** The default execution domain, and the question which one is in force. */
const PERSONALITIES = [0, 0xffff_ffff];

/** Each call that is not simply allowed. */
export const RULES: ReadonlyMap<SyscallName, Decision> = new Map<SyscallName, Decision>([
  ["clone", { argument: 0, hasAnyBit: NEW_NAMESPACES, then: NOT_PERMITTED, otherwise: "allow" }],
  ["socket", SOCKET],
  [
    "socketpair",
    { argument: 0, isOneOf: [FAMILY.unix], then: "allow", otherwise: { errno: ERRNO.familyNotSupported } },
  ],
  ["ioctl", { argument: 1, isOneOf: TERMINAL_INJECTION, then: NOT_PERMITTED, otherwise: "allow" }],
  ["personality", { argument: 0, isOneOf: PERSONALITIES, then: "allow", otherwise: NOT_PERMITTED }],
  ...REFUSED.flatMap(({ verdict, calls }) => calls.map((call): [SyscallName, Decision] => [call, verdict])),
]);

/** What a call is answered whose number we do not know. */
export const UNKNOWN_CALL: Verdict = NOT_THERE;
