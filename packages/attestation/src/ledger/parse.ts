/** The ledger's document: one canonical text, read strictly. What it says is not judged here. */
import { EncodingError, jsonInteger, jsonObject, jsonString, type JsonValue } from "@blindbox/encoding";
import { jsonOrNull, jsonSha256 } from "../json.ts";
import { formatChain, parseChain } from "../record-chain.ts";
import { LEDGER_TYPE } from "./chain.ts";
import type { LedgerDocument, LedgerMode, LedgerRecord } from "./types.ts";
import { LEDGER_VERDICTS } from "./verdicts.ts";

/** Path at which a box answers `GET` with its ledger, to principals that may audit. Never reaches the app. */
export const LEDGER_PATH = "/.well-known/blindbox/ledger";

/** Media type of the ledger's document. */
export const LEDGER_MEDIA_TYPE = "application/vnd.blindbox.ledger+json";

/** Records that a box keeps at most: hours of a busy application, 6 MiB at worst. */
export const MAX_LEDGER_RECORDS = 8192;

/** Longest document that is read: {@link MAX_LEDGER_RECORDS} of 680 bytes, which is what the longest host makes of one. */
export const MAX_LEDGER_BYTES: number = 8 * 1024 * 1024;

const recordMembers = [
  "seq",
  "time",
  "verdict",
  "rule",
  "host",
  "port",
  "mode",
  "sent",
  "received",
  "peer",
  "count",
] as const;

const modes: readonly LedgerMode[] = ["verified", "passthrough", "http", "tcp"];

const natural = { min: 0, max: Number.MAX_SAFE_INTEGER };

/**
 * Reads a ledger's document: canonical JSON of at most 8 MiB with exactly its members, every word out of a closed list or
 * of the form of a host. Nothing is compared: `verifyLedger` does.
 *
 * @throws EncodingError for anything else.
 */
export function parseLedger(input: Uint8Array | string): LedgerDocument {
  return parseChain(input, {
    type: LEDGER_TYPE,
    name: "ledger",
    maxBytes: MAX_LEDGER_BYTES,
    maxRecords: MAX_LEDGER_RECORDS,
    record: parseRecord,
  });
}

function parseRecord(value: JsonValue, path: string): LedgerRecord {
  const members = jsonObject(value, path, recordMembers);
  const integer = (member: "seq" | "time" | "sent" | "received"): number =>
    jsonInteger(members[member], `${path}.${member}`, natural);
  return {
    seq: integer("seq"),
    time: integer("time"),
    verdict: wordOf(members.verdict, `${path}.verdict`, LEDGER_VERDICTS),
    rule: jsonOrNull(members.rule, (rule) => jsonInteger(rule, `${path}.rule`, { min: 0, max: 65_535 })),
    host: jsonOrNull(members.host, (host) => parseHost(host, `${path}.host`)),
    port: jsonOrNull(members.port, (port) => jsonInteger(port, `${path}.port`, { min: 1, max: 65_535 })),
    mode: jsonOrNull(members.mode, (mode) => wordOf(mode, `${path}.mode`, modes)),
    sent: integer("sent"),
    received: integer("received"),
    peer: jsonOrNull(members.peer, (peer) => jsonSha256(peer, `${path}.peer`)),
    count: jsonInteger(members.count, `${path}.count`, { min: 1, max: Number.MAX_SAFE_INTEGER }),
  };
}

function wordOf<T extends string>(value: JsonValue, path: string, words: readonly T[]): T {
  const text = jsonString(value, path);
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw new EncodingError("bad-encoding", path, `one of ${words.length} words`, "another word");
}

// It is shown on terminals and pages: only what a host of a rule is made of.
function parseHost(value: JsonValue, path: string): string {
  const text = jsonString(value, path);
  if (/^(?:\*\.)?[a-z0-9.-]{1,253}$/.test(text)) return text;
  throw new EncodingError("bad-encoding", path, "a rule's host", "other text");
}

/**
 * The one text of a ledger's document, for a box to send.
 *
 * @throws EncodingError where a value has no canonical form.
 */
export function formatLedger(document: LedgerDocument): string {
  return formatChain(LEDGER_TYPE, document);
}
