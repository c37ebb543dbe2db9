/** What the Nitro Security Module answers: `{"Attestation": {"document": bytes}}` or `{"Error": name}`, in CBOR (RFC 8949). */
import { ByteReader, EncodingError, fromUtf8 } from "@blindbox/encoding";
import { DeviceFault } from "../device-fault.ts";

const BYTES = 2;
const TEXT = 3;
const MAP = 5;

/** The errors of the module, as its driver names them; any other name is not repeated. */
const errorNames: readonly string[] = [
  "InvalidArgument",
  "InvalidIndex",
  "InvalidResponse",
  "ReadOnlyIndex",
  "InvalidOperation",
  "BufferTooSmall",
  "InputTooLarge",
  "InternalError",
];

/**
 * The document in an answer.
 *
 * @throws DeviceFault where the module reports an error; EncodingError for what is no answer of this form.
 */
export function documentInResponse(bytes: Uint8Array): Uint8Array {
  const reader = new ByteReader(bytes, "nsm");
  const name = onlyMember(reader);
  if (name === "Error") throw new DeviceFault("failed", `nsm: ${errorName(textOf(reader))}`);
  if (name !== "Attestation" || onlyMember(reader) !== "document") throw refused("a document", "another answer");
  const document = reader.bytes(head(reader, BYTES), "document");
  reader.end();
  return document;
}

/** The name of the one member of a map; its value comes next. */
function onlyMember(reader: ByteReader): string {
  const members = head(reader, MAP);
  if (members !== 1) throw refused("a map of one member", `${members} members`);
  return textOf(reader);
}

function textOf(reader: ByteReader): string {
  return fromUtf8(reader.bytes(head(reader, TEXT), "text"), "nsm.text");
}

const lengthFollows = { 24: "u8", 25: "u16be", 26: "u32be" } as const;

/** The length of an item of this kind. Lengths of 8 bytes, and items of no definite length, have no place here. */
function head(reader: ByteReader, kind: number): number {
  const first = reader.u8("head");
  const short = first & 0x1f;
  if (first >> 5 !== kind) throw refused(`an item of kind ${kind}`, `kind ${first >> 5}`);
  if (short < 24) return short;
  if (short === 24 || short === 25 || short === 26) return reader[lengthFollows[short]]("length");
  throw refused("a definite length", "another");
}

function errorName(name: string): string {
  return errorNames.includes(name) ? name : "an error of another name";
}

function refused(expected: string, actual: string): EncodingError {
  return new EncodingError("bad-encoding", "nsm", expected, actual);
}
