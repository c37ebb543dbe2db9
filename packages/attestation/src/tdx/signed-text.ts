/** Intel's signed answers: `{ "<member>": {…}, "signature": "<hex>" }`. The signature covers the exact text of the member. */
import {
  EncodingError,
  fromHex,
  jsonObject,
  jsonString,
  parseForeignJson,
  utf8,
  type JsonValue,
} from "@blindbox/encoding";
import { type LevelStatus, TCB_STATUSES } from "./tcb-status.ts";

/** Intel's texts take 1 to 20 KiB. */
const maxLength = 256 * 1024;

/** Intel's texts nest 6 deep. */
const maxDepth = 12;

/** What is signed, with its meaning where it has one: a text may be authentic and not be understood here. */
export interface SignedText<T> {
  /** The exact bytes of the member. */
  readonly signed: Uint8Array;
  /** r and s, big-endian. */
  readonly signature: Uint8Array;
  readonly meaning: T | EncodingError;
}

/**
 * Reads an answer. Its envelope must be exactly of that form; what `read` refuses becomes the meaning, so that whether the text
 * is authentic is told first.
 *
 * @throws EncodingError for another envelope, and for what is not JSON or ambiguous in it.
 */
export function parseSignedText<T>(
  text: string,
  member: "tcbInfo" | "enclaveIdentity",
  read: (value: JsonValue) => T,
): SignedText<T> {
  const { value, textOf } = parseForeignJson(text, member, { maxLength, maxDepth });
  const envelope = jsonObject(value, member, [member, "signature"]);
  const signature = fromHex(jsonString(envelope.signature, `${member}.signature`), `${member}.signature`);
  return { signed: utf8(textOf(member)), signature, meaning: readOrRefusal(() => read(envelope[member])) };
}

function readOrRefusal<T>(read: () => T): T | EncodingError {
  try {
    return read();
  } catch (error) {
    if (error instanceof EncodingError) return error;
    throw error;
  }
}

/** Bytes in hex of either case, as Intel writes them. */
export function hexOf(value: JsonValue | undefined, path: string, length: number): Uint8Array {
  const bytes = fromHex(jsonString(value, path).toLowerCase(), path);
  if (bytes.length === length) return bytes;
  throw new EncodingError("bad-encoding", path, `${length} bytes`, `${bytes.length} bytes`);
}

const isoDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** Seconds since 1970 of `YYYY-MM-DDThh:mm:ssZ`. */
export function dateOf(value: JsonValue | undefined, path: string): number {
  const text = jsonString(value, path);
  const milliseconds = isoDate.test(text) ? Date.parse(text) : Number.NaN;
  // Date takes 30 February for the first or second of March.
  const exists = Number.isFinite(milliseconds) && new Date(milliseconds).toISOString() === text.replace("Z", ".000Z");
  if (exists) return milliseconds / 1000;
  throw new EncodingError("bad-encoding", path, "a date and time in UTC", "another text");
}

/** A status that Intel gives a level. */
export function statusOf(value: JsonValue | undefined, path: string): LevelStatus {
  const text = jsonString(value, path);
  const status = TCB_STATUSES.find((each) => each === text);
  if (status !== undefined) return status;
  throw new EncodingError("bad-encoding", path, TCB_STATUSES.join(" or "), "another status");
}

const advisoryId = /^[A-Z0-9-]{1,32}$/;

/** Names of Intel's security advisories; none where the member is not there. */
export function advisoriesOf(value: JsonValue | undefined, path: string): readonly string[] {
  if (value === undefined) return [];
  if (
    Array.isArray(value) &&
    value.length <= 256 &&
    value.every((id) => typeof id === "string" && advisoryId.test(id))
  ) {
    return value as readonly string[];
  }
  throw new EncodingError("bad-encoding", path, "a list of advisory ids", "another value");
}
