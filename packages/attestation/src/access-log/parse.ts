/** The access log's document: one canonical text, read strictly. What it says is not judged here. */
import { EncodingError, jsonInteger, jsonObject, jsonString, type JsonValue } from "@blindbox/encoding";
import { jsonOrNull } from "../json.ts";
import { formatChain, parseChain } from "../record-chain.ts";
import type { AccessLogDocument, AccessRecord } from "./types.ts";

/** Type of the document; its UTF-8 hashed by SHA-256 is the head of a log with no record. */
export const ACCESS_LOG_TYPE = "blindbox-access-log/1";

/** Path at which a box answers `GET` with its access log, to principals that may audit. Never reaches the app. */
export const ACCESS_LOG_PATH = "/.well-known/blindbox/access-log";

/** Media type of the access log's document. */
export const ACCESS_LOG_MEDIA_TYPE = "application/vnd.blindbox.access-log+json";

/** Records that a box keeps at most, whatever its Manifest says. */
export const MAX_ACCESS_RECORDS = 100_000;

/** Longest document that is read: a record takes 200 to 500 bytes, since a rule's path is bounded. */
export const MAX_ACCESS_LOG_BYTES: number = 64 * 1024 * 1024;

const recordMembers = [
  "seq",
  "time",
  "principal",
  "rule",
  "method",
  "path",
  "outcome",
  "status",
  "received",
  "sent",
] as const;

const natural = { min: 0, max: Number.MAX_SAFE_INTEGER };

/**
 * Reads an access log's document: canonical JSON with exactly its members. Nothing is compared: `verifyAccessLog` does.
 *
 * @throws EncodingError for anything else.
 */
export function parseAccessLog(input: Uint8Array | string): AccessLogDocument {
  return parseChain(input, {
    type: ACCESS_LOG_TYPE,
    name: "accessLog",
    maxBytes: MAX_ACCESS_LOG_BYTES,
    maxRecords: MAX_ACCESS_RECORDS,
    record: parseRecord,
  });
}

function parseRecord(value: JsonValue, path: string): AccessRecord {
  const members = jsonObject(value, path, recordMembers);
  const integer = (member: "seq" | "time" | "received" | "sent" | "rule"): number =>
    jsonInteger(members[member], `${path}.${member}`, natural);
  return {
    seq: integer("seq"),
    time: integer("time"),
    principal: shownText(members.principal, `${path}.principal`, /^[\x21-\x7e]{1,128}$/),
    rule: integer("rule"),
    method: shownText(members.method, `${path}.method`, /^[A-Z]{1,16}$/),
    path: shownText(members.path, `${path}.path`, /^\/[\x21-\x7e]{0,1024}$/),
    outcome: shownText(members.outcome, `${path}.outcome`, /^[a-z][a-z-]{0,40}$/),
    status: jsonOrNull(members.status, (status) => jsonInteger(status, `${path}.status`, { min: 100, max: 999 })),
    received: integer("received"),
    sent: integer("sent"),
  };
}

// It is shown on terminals and pages: nothing but what such a name is made of.
function shownText(value: JsonValue, path: string, form: RegExp): string {
  const text = jsonString(value, path);
  if (form.test(text)) return text;
  throw new EncodingError("bad-encoding", path, "a name of the box's own", "other text");
}

/**
 * The one text of an access log's document, for a box to send.
 *
 * @throws EncodingError where a value has no canonical form.
 */
export function formatAccessLog(document: AccessLogDocument): string {
  return formatChain(ACCESS_LOG_TYPE, document);
}
