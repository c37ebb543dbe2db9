/**
 * What one probe tries: calls in order, of which each must succeed for the next to make sense, and one must be refused for
 * the attempt to count as denied.
 */
import { constants } from "node:os";
import { FAMILY, SOCKET_TYPE } from "../kernel/constants.ts";
import type { SyscallName } from "../kernel/syscalls.ts";
import { attempt, bytes, buffer, type Memory, type Operand, resultOf, type Step, words } from "../program/steps.ts";
import type { Address } from "./addresses.ts";

export interface Call {
  readonly step: Step;
  /** Where the kernel writes what `refused` looks at beside the result; null where it looks at nothing more. */
  readonly reply: Memory | null;
  /** Whether what the call returned is the refusal that is hoped for; `reply` has `REPLY_BYTES`. */
  readonly refused: (result: number, reply: Uint8Array) => boolean;
}

export type Attempt = readonly Call[];

/** What one call met. */
export interface Outcome {
  readonly result: number;
  readonly reply: Uint8Array;
}

/** As much of a reply as is looked at: a header of DNS, a refusal of netlink, a set of capabilities. */
export const REPLY_BYTES = 32;

type ErrorName = keyof typeof constants.errno;

/** Refused when it fails with one of these errors; any other error means that we do not understand what happened. */
export function call(name: SyscallName, args: readonly Operand[], ...errors: readonly ErrorName[]): Call {
  const numbers: readonly number[] = errors.map((error) => -constants.errno[error]);
  return { step: attempt(name, ...args), reply: null, refused: (result) => numbers.includes(result) };
}

/** A call that is refused by what it returns, or by what the kernel wrote to `reply`. */
export function look(
  name: SyscallName,
  args: readonly Operand[],
  refused: Call["refused"],
  reply: Memory | null = null,
): Call {
  return { step: attempt(name, ...args), reply, refused };
}

/** Denied where one call was refused before another failed for an unknown reason, and before all were done. */
export function isDenied(calls: Attempt, outcomeOf: (call: Call) => Outcome): boolean {
  for (const each of calls) {
    const { result, reply } = outcomeOf(each);
    if (each.refused(result, reply)) return true;
    if (result < 0) return false;
  }
  return false;
}

const SOCKET_LEVEL = 1;
const RECEIVE_TIMEOUT = 20;
const SEND_TIMEOUT = 21;
/** Microseconds until silence counts as a refusal; inside the gate everything is answered at once. */
const PATIENCE = 300_000;
/** Seconds until what must be said counts as not said: for a busy machine, since nothing is lost where it is said. */
const LONG_PATIENCE = 2;

const UNREACHABLE: readonly ErrorName[] = [
  "ECONNREFUSED",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "EADDRNOTAVAIL",
  "ETIMEDOUT",
  "ECONNRESET",
];

/**
 * A TCP connection that somebody keeps. On a port of the policy the box takes every connection, and resets at once those
 * that no rule allows; whoever ends it in any other way, answers, or waits for more, is somebody outside.
 */
export function connects(address: Address): Attempt {
  const { calls, descriptor } = opened(address);
  return [...calls, patient(descriptor), call("recvfrom", [descriptor, buffer(1), 1, 0, 0, 0], "ECONNRESET")];
}

/** Reading from this socket waits long for an answer that must come. */
export function patient(descriptor: Operand): Call {
  return call("setsockopt", [descriptor, SOCKET_LEVEL, RECEIVE_TIMEOUT, words(LONG_PATIENCE, 0), 16]);
}

/** A TCP connection, whoever takes it. */
export function isTaken(address: Address): Attempt {
  return opened(address).calls;
}

function opened(address: Address): { readonly calls: Attempt; readonly descriptor: Operand } {
  const socket = call("socket", [address.family, SOCKET_TYPE.stream, 0], "EAFNOSUPPORT");
  const descriptor = resultOf(socket.step);
  const calls = [
    socket,
    call("setsockopt", [descriptor, SOCKET_LEVEL, SEND_TIMEOUT, words(0, PATIENCE), 16]),
    // With a time limit, connect says EINPROGRESS when it is over.
    call("connect", [descriptor, bytes(address.bytes), address.bytes.length], ...UNREACHABLE, "EINPROGRESS"),
  ];
  return { calls, descriptor };
}

/** A way to the address, whether or not anybody answers there: connecting a datagram socket only asks for the route. */
export function hasRoute(address: Address): Attempt {
  const socket = call("socket", [address.family, SOCKET_TYPE.datagram, 0], "EAFNOSUPPORT");
  const target = [resultOf(socket.step), bytes(address.bytes), address.bytes.length];
  return [socket, call("connect", target, "ENETUNREACH", "EADDRNOTAVAIL")];
}

/** A datagram that is answered. */
export function isAnswered(address: Address, datagram: Uint8Array): Attempt {
  const socket = call("socket", [address.family, SOCKET_TYPE.datagram, 0], "EAFNOSUPPORT");
  const descriptor = resultOf(socket.step);
  return [
    socket,
    call("setsockopt", [descriptor, SOCKET_LEVEL, RECEIVE_TIMEOUT, words(0, PATIENCE), 16]),
    call("connect", [descriptor, bytes(address.bytes), address.bytes.length], ...UNREACHABLE),
    call("sendto", [descriptor, bytes(datagram), datagram.length, 0, 0, 0], ...UNREACHABLE),
    call("recvfrom", [descriptor, buffer(512), 512, 0, 0, 0], ...UNREACHABLE, "EAGAIN"),
  ];
}

/** A connection to a Unix socket of ours, which everybody could use who reached it. */
export function connectsUnix(address: Address): Attempt {
  return connectsUnixUnless(address, "ENOENT", "ENOTDIR", "ECONNREFUSED");
}

/** To one in a directory that may be the image's, and closed to the application. */
export function connectsUnixInImage(address: Address): Attempt {
  return connectsUnixUnless(address, "ENOENT", "ENOTDIR", "ECONNREFUSED", "EACCES");
}

function connectsUnixUnless(address: Address, ...refusals: readonly ErrorName[]): Attempt {
  const socket = call("socket", [FAMILY.unix, SOCKET_TYPE.stream, 0]);
  const target = [resultOf(socket.step), bytes(address.bytes), address.bytes.length];
  return [socket, call("connect", target, ...refusals)];
}

/** A socket of a kind that is not to be had. */
export function opensSocket(family: number, type: number, protocol: number): Attempt {
  const refusals = ["EAFNOSUPPORT", "EPROTONOSUPPORT", "EPERM"] as const;
  const socket = call("socket", [family, type, protocol], ...refusals);
  const refused: Call["refused"] = (result, reply) =>
    socket.refused(result, reply) || result === -SOCKET_TYPE_NOT_SUPPORTED;
  return [{ ...socket, refused }];
}

/** ESOCKTNOSUPPORT, which Node does not name. */
const SOCKET_TYPE_NOT_SUPPORTED = 94;
