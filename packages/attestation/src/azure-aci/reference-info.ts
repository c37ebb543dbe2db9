/** What Microsoft signs of a utility VM: a measurement and its security version, in JSON. */
import {
  EncodingError,
  fromHex,
  fromUtf8,
  jsonInteger,
  jsonString,
  parseForeignJson,
  type JsonValue,
} from "@blindbox/encoding";
import { jsonMembers } from "../json.ts";

/** The meaning of an endorsement. */
export interface ReferenceInfo {
  /** 48 bytes: SEV-SNP's launch measurement of the utility VM. */
  readonly measurement: Uint8Array;
  /** Its security version: what is broken gets a lower one than what mends it. */
  readonly svn: number;
}

const field = "uvm.payload";
const names = {
  measurement: "x-ms-sevsnpvm-launchmeasurement",
  svn: "x-ms-sevsnpvm-guestsvn",
  svnNumber: "x-ms-sevsnpvm-guestsvn-int",
} as const;

/** Real ones take 200 characters. */
const limits = { maxLength: 4096, maxDepth: 4 };

/** Fifteen digits: a whole number that is safe, as the tuples of Reference Values hold it. */
const maxSvn = 999_999_999_999_999;

/**
 * Reads the payload. Members that nobody asks for are passed over: Microsoft has added to it before.
 *
 * @throws EncodingError where it is no JSON object, a member is given twice, or one of these is not of its form.
 */
export function readReferenceInfo(payload: Uint8Array): ReferenceInfo {
  const { value } = parseForeignJson(fromUtf8(payload, field), field, limits);
  const members = jsonMembers(value, field);
  return { measurement: readMeasurement(members[names.measurement]), svn: readSvn(members) };
}

function readMeasurement(value: JsonValue | undefined): Uint8Array {
  const path = `${field}.${names.measurement}`;
  const bytes = fromHex(jsonString(value, path), path);
  if (bytes.length === 48) return bytes;
  throw new EncodingError("bad-encoding", path, "48 bytes", `${bytes.length} bytes`);
}

/** As a text, and in newer ones as a number too, which then has to be the same. */
function readSvn(members: Readonly<Record<string, JsonValue>>): number {
  const path = `${field}.${names.svn}`;
  const text = jsonString(members[names.svn], path);
  if (!/^(0|[1-9][0-9]{0,14})$/.test(text)) {
    throw new EncodingError("bad-encoding", path, "a whole number in decimal", "another text");
  }
  const number = members[names.svnNumber];
  const svn = Number(text);
  if (number === undefined || jsonInteger(number, path, { min: 0, max: maxSvn }) === svn) return svn;
  throw new EncodingError("bad-encoding", path, "the same number in both members", "another one");
}
