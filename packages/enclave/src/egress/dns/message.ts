/**
 * DNS messages (RFC 1035, section 4; RFC 6891) in the one form that stub resolvers send: one question, no more than an OPT
 * record beside it. Read strictly, since all of it is the application's choice.
 */
import { ByteReader, ByteWriter, EncodingError } from "@blindbox/encoding";

/** Record types that are told apart. */
export const RECORD_TYPE = { A: 1, AAAA: 28, OPT: 41, SVCB: 64, HTTPS: 65 } as const;

/** Only the internet's. */
export const CLASS_IN = 1;

/** What an answer says in place of addresses. */
export const RESPONSE_CODE = { none: 0, malformed: 1, noSuchName: 3, refused: 5 } as const;

export type ResponseCode = (typeof RESPONSE_CODE)[keyof typeof RESPONSE_CODE];

/** Longest message that is read, over UDP and TCP. Without an OPT record, one question never has more than 271 bytes. */
export const MAX_MESSAGE_BYTES = 1232;

const headerLength = 12;
const maxNameBytes = 255;
const maxLabelBytes = 63;

/** One question, in the application's own bytes where they go back to it. */
export interface Query {
  readonly id: number;
  readonly recursionDesired: boolean;
  /** The question as it was sent, its mixed case too. */
  readonly question: Uint8Array;
  /** Labels joined by dots, as sent; null where a label holds what no host name holds. */
  readonly name: string | null;
  readonly type: number;
  readonly class: number;
  readonly hasOptions: boolean;
}

/**
 * Reads a query.
 *
 * @throws EncodingError for anything else than one question with at most one OPT record of version 0 behind it.
 */
export function parseQuery(bytes: Uint8Array): Query {
  if (bytes.length > MAX_MESSAGE_BYTES) {
    throw new EncodingError("limit-exceeded", "message", `at most ${MAX_MESSAGE_BYTES} bytes`, `${bytes.length} bytes`);
  }
  const reader = new ByteReader(bytes, "message");
  const id = reader.u16be("id");
  const recursionDesired = readFlags(reader.u16be("flags"));
  const hasOptions = readCounts(reader);
  const name = readName(reader);
  const type = reader.u16be("type");
  const recordClass = reader.u16be("class");
  const question = bytes.subarray(headerLength, bytes.length - reader.remaining);
  if (hasOptions) readOptions(reader);
  reader.end();
  return { id, recursionDesired, question, name, type, class: recordClass, hasOptions };
}

// AD and CD are wishes about DNSSEC that nothing here answers to; all others must be zero in a query.
const recursionDesiredBit = 0x0100;
const ignoredBits = 0x0030;

/** Whether recursion is desired. */
function readFlags(flags: number): boolean {
  if ((flags & ~(recursionDesiredBit | ignoredBits)) !== 0) throw refused("flags", "those of a standard query");
  return (flags & recursionDesiredBit) !== 0;
}

/** Whether there is an additional record, which is to be OPT. */
function readCounts(reader: ByteReader): boolean {
  const questions = reader.u16be("questions");
  const answers = reader.u16be("answers");
  const authorities = reader.u16be("authorities");
  const additionals = reader.u16be("additionals");
  if (questions !== 1 || answers !== 0 || authorities !== 0 || additionals > 1) {
    throw refused("counts", "one question and at most one additional record");
  }
  return additionals === 1;
}

function readName(reader: ByteReader): string | null {
  const labels: string[] = [];
  let length = 1;
  for (let size = reader.u8("label"); size !== 0; size = reader.u8("label")) {
    // The two high bits would make it a pointer: a question has nothing to point to.
    if (size > maxLabelBytes) throw refused("name", "labels of at most 63 bytes, not compressed");
    length += 1 + size;
    if (length > maxNameBytes) throw refused("name", `at most ${maxNameBytes} bytes`);
    labels.push(Buffer.from(reader.bytes(size, "label")).toString("latin1"));
  }
  // A dot inside of a label would make it look like two.
  return labels.every((label) => /^[A-Za-z0-9_-]+$/.test(label)) ? labels.join(".") : null;
}

function readOptions(reader: ByteReader): void {
  const root = reader.u8("additional.name");
  const type = reader.u16be("additional.type");
  // The sender's buffer: every answer of ours fits the smallest.
  reader.u16be("additional.payload");
  const extendedCode = reader.u8("additional.code");
  const version = reader.u8("additional.version");
  reader.u16be("additional.flags");
  if (root !== 0 || type !== RECORD_TYPE.OPT || extendedCode !== 0 || version !== 0) {
    throw refused("additional", "an OPT record of version 0");
  }
  const options = new ByteReader(reader.bytes(reader.u16be("additional.length"), "additional.options"), "options");
  while (options.remaining > 0) {
    options.u16be("code");
    options.bytes(options.u16be("length"), "value");
  }
}

function refused(field: string, expected: string): EncodingError {
  return new EncodingError("bad-encoding", field, expected, "something else");
}

/** An answer: to the question, that there is nothing, or an IPv4 address with the seconds for which it may be kept. */
export interface Answer {
  readonly code: ResponseCode;
  readonly address: { readonly ipv4: string; readonly ttl: number } | null;
}

/** An answer, authoritative, recursion available: resolvers complain about less. */
const answerBits = 0x8480;

/** Writes the answer to a query: at most 298 bytes, so none is ever too long for UDP. */
export function formatAnswer(query: Query, { code, address }: Answer): Uint8Array {
  const writer = new ByteWriter().u16be(query.id);
  writer.u16be(answerBits | (query.recursionDesired ? recursionDesiredBit : 0) | code);
  for (const count of [1, address === null ? 0 : 1, 0, query.hasOptions ? 1 : 0]) writer.u16be(count);
  writer.bytes(query.question);
  if (address !== null) writeAddress(writer, address);
  if (query.hasOptions) writer.u8(0).u16be(RECORD_TYPE.OPT).u16be(MAX_MESSAGE_BYTES).zero(6);
  return writer.finish();
}

function writeAddress(writer: ByteWriter, { ipv4, ttl }: { readonly ipv4: string; readonly ttl: number }): void {
  // A pointer to the question's name, so that its case comes back.
  writer
    .u16be(0xc000 | headerLength)
    .u16be(RECORD_TYPE.A)
    .u16be(CLASS_IN);
  writer.u32be(ttl).u16be(4);
  for (const octet of ipv4.split(".")) writer.u8(Number(octet));
}

/**
 * The answer to bytes that are no query: its number and that it is malformed. Null where silence is due: too short to have
 * a number, or itself an answer, lest two servers talk to each other for ever.
 */
export function formatMalformed(bytes: Uint8Array): Uint8Array | null {
  if (bytes.length < headerLength || ((bytes[2] ?? 0) & 0x80) !== 0) return null;
  const answer = new Uint8Array(headerLength);
  answer.set(bytes.subarray(0, 2));
  answer.set([0x80, RESPONSE_CODE.malformed], 2);
  return answer;
}
