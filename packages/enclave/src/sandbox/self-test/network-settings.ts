/**
 * Attempts to change the network from inside. Each names something that does not exist, so that where it is not refused it
 * fails in another way, and changes nothing.
 */
import { constants } from "node:os";
import { AT_CWD, FAMILY, NETLINK, SOCKET_TYPE } from "../kernel/constants.ts";
import { buffer, bytes, resultOf, text } from "../program/steps.ts";
import { type Attempt, call, look, REPLY_BYTES } from "./attempts.ts";

/** ioctl(2): SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFHWADDR, and SIOCADDRT, of which an empty route is none. */
const CHANGES = [0x8914, 0x8916, 0x8924, 0x890b] as const;
/** struct rtentry is the largest of what they take. */
const REQUEST_BYTES = 120;
const NO_SUCH_LINK = new TextEncoder().encode("blindbox-none");

/** rtnetlink(7): RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE. */
const NEW_OBJECTS = [16, 20, 24] as const;
const WRITE_ONLY = 1;

export function changesNetwork(): Attempt[] {
  const files = ["ipv4/ip_forward", "ipv4/ip_unprivileged_port_start", "ipv4/conf/all/accept_local"];
  return [
    ...CHANGES.map(byIoctl),
    ...NEW_OBJECTS.map(byNetlink),
    ...files.map((file): Attempt => {
      const path = text(`/proc/sys/net/${file}`);
      return [call("openat", [AT_CWD, path, WRITE_ONLY, 0], "EROFS", "EACCES", "EPERM", "ENOENT")];
    }),
    [call("openat", [AT_CWD, text("/dev/net/tun"), WRITE_ONLY, 0], "ENOENT")],
  ];
}

function byIoctl(request: number): Attempt {
  const socket = call("socket", [FAMILY.inet, SOCKET_TYPE.datagram, 0]);
  const subject = new Uint8Array(REQUEST_BYTES);
  // An empty route has no name of a link in this place.
  if (request !== CHANGES[3]) subject.set(NO_SUCH_LINK);
  return [socket, call("ioctl", [resultOf(socket.step), request, bytes(subject)], "EPERM")];
}

const HEADER_BYTES = 16;
/** Too short for what is asked: whoever may ask is told so. */
const MESSAGE_BYTES = 20;
const REQUEST_WITH_ANSWER = 5;
const ERROR_MESSAGE = 2;

function byNetlink(type: number): Attempt {
  const message = new DataView(new ArrayBuffer(MESSAGE_BYTES));
  message.setUint32(0, MESSAGE_BYTES, true);
  message.setUint16(4, type, true);
  message.setUint16(6, REQUEST_WITH_ANSWER, true);
  const socket = call("socket", [FAMILY.netlink, SOCKET_TYPE.raw, NETLINK.route]);
  const descriptor = resultOf(socket.step);
  const sent = new Uint8Array(message.buffer);
  const reply = buffer(REPLY_BYTES);
  return [
    socket,
    call("sendto", [descriptor, bytes(sent), sent.length, 0, 0, 0], "EPERM"),
    look("recvfrom", [descriptor, reply, REPLY_BYTES, 0, 0, 0], (_, answer) => isRefusal(answer), reply),
  ];
}

/** struct nlmsghdr, then struct nlmsgerr: the number of the error, negative. */
function isRefusal(answer: Uint8Array): boolean {
  const view = new DataView(answer.buffer, answer.byteOffset);
  return view.getUint16(4, true) === ERROR_MESSAGE && view.getInt32(HEADER_BYTES, true) === -constants.errno.EPERM;
}
