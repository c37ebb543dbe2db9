/** What the gate's DNS must say (RFC 1035, section 4): of a name that no policy can hold, that it does not exist. */
import { buffer, bytes, resultOf } from "../program/steps.ts";
import { FAMILY, SOCKET_TYPE } from "../kernel/constants.ts";
import type { Address } from "./addresses.ts";
import { type Attempt, call, type Call, isTaken, look, patient, REPLY_BYTES } from "./attempts.ts";

/** Types of records that can carry a secret out (in the question) or in (in the answer). */
const TYPES = { address: 1, text: 16, https: 65 } as const;
const HEADER_BYTES = 12;
const LENGTH_BYTES = 2;
/** MSG_WAITALL */
const ALL_OF_IT = 0x100;

/** `name` in dotted form; `server` is the gate's own. */
export function isUnknownName(server: Address, name: string): Attempt[] {
  const queries = Object.values(TYPES).map((type) => query(name, type));
  return [...queries.map((each) => byDatagram(server, each)), byConnection(server, query(name, TYPES.address))];
}

function byDatagram(server: Address, datagram: Uint8Array): Attempt {
  const socket = call("socket", [FAMILY.inet, SOCKET_TYPE.datagram, 0]);
  const descriptor = resultOf(socket.step);
  const reply = buffer(REPLY_BYTES);
  const saysSo: Call["refused"] = (result, message) => result >= HEADER_BYTES && isNoSuchName(message);
  return [
    socket,
    patient(descriptor),
    call("connect", [descriptor, bytes(server.bytes), server.bytes.length]),
    call("sendto", [descriptor, bytes(datagram), datagram.length, 0, 0, 0]),
    look("recvfrom", [descriptor, reply, REPLY_BYTES, 0, 0, 0], saysSo, reply),
  ];
}

function byConnection(server: Address, message: Uint8Array): Attempt {
  const connection = isTaken(server).map((each) => ({ ...each, refused: () => false }));
  const descriptor = resultOf((connection[0] as Call).step);
  const sent = Uint8Array.of(0, message.length, ...message);
  const reply = buffer(REPLY_BYTES);
  const wanted = LENGTH_BYTES + HEADER_BYTES;
  const saysSo: Call["refused"] = (result, stream) => result === wanted && isNoSuchName(stream.subarray(LENGTH_BYTES));
  return [
    ...connection,
    patient(descriptor),
    call("sendto", [descriptor, bytes(sent), sent.length, 0, 0, 0]),
    look("recvfrom", [descriptor, reply, wanted, ALL_OF_IT, 0, 0], saysSo, reply),
  ];
}

const ID = 0xb1bb;
const IS_ANSWER = 0x80;
const CODE = 0x0f;
const NO_SUCH_NAME = 3;

function isNoSuchName(message: Uint8Array): boolean {
  const view = new DataView(message.buffer, message.byteOffset);
  const [flags, code] = [view.getUint8(2), view.getUint8(3) & CODE];
  return view.getUint16(0) === ID && (flags & IS_ANSWER) !== 0 && code === NO_SUCH_NAME && view.getUint16(6) === 0;
}

function query(name: string, type: number): Uint8Array {
  const labels = name.split(".").map((label) => new TextEncoder().encode(label));
  const header = [ID >> 8, ID & 0xff, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  return Uint8Array.of(...header, ...labels.flatMap((label) => [label.length, ...label]), 0, 0, type, 0, 1);
}
