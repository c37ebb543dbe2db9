/** The one definition of a chain of records: a hash over everything that was ever written. Ledger and access log use it. */
import {
  canonicalJson,
  concatBytes,
  digest,
  formatSha256,
  jsonArray,
  jsonInteger,
  jsonObject,
  parseCanonicalJson,
  parseSha256,
  utf8,
  type JsonValue,
} from "@blindbox/encoding";
import { jsonSha256, jsonType } from "./json.ts";

/** One record: its number, and whatever else it says. */
export interface ChainRecord {
  /** From 0, without gaps, in the order in which records were written in this boot. */
  readonly seq: number;
}

/** Records that are still kept, and the heads around them. */
export interface RecordChain<Entry extends ChainRecord = ChainRecord> {
  /** `sha256:<hex>`: head of the chain before the first record that is kept. */
  readonly start: string;
  /** `seq` of the first record that is kept, or that would be next: as many were written and given up before. */
  readonly first: number;
  readonly records: readonly Entry[];
  /** `sha256:<hex>`: head of the chain after the last record. */
  readonly head: string;
}

/** What the document of one kind of chain is. */
export interface ChainForm<Entry extends ChainRecord> {
  readonly type: string;
  /** How errors name the document. */
  readonly name: string;
  /** Longest document that is read, in bytes. */
  readonly maxBytes: number;
  /** Records of one document at most. */
  readonly maxRecords: number;
  /** One record, found at `path`. @throws EncodingError for anything else. */
  readonly record: (value: JsonValue, path: string) => Entry;
}

/** Reads a chain's document: canonical JSON with exactly its members. @throws EncodingError for anything else. */
export function parseChain<Entry extends ChainRecord>(
  input: Uint8Array | string,
  { type, name, maxBytes, maxRecords, record }: ChainForm<Entry>,
): RecordChain<Entry> {
  const value = parseCanonicalJson(input, { maxBytes, maxDepth: 3 });
  const members = jsonObject(value, name, ["type", "start", "first", "records", "head"]);
  jsonType(members.type, `${name}.type`, type);
  const records = jsonArray(members.records, `${name}.records`, maxRecords);
  return {
    start: jsonSha256(members.start, `${name}.start`),
    first: jsonInteger(members.first, `${name}.first`, { min: 0, max: Number.MAX_SAFE_INTEGER }),
    records: records.map((each, at) => record(each, `${name}.records[${at}]`)),
    head: jsonSha256(members.head, `${name}.head`),
  };
}

/** The one text of a chain's document. @throws EncodingError where a value has no canonical form. */
export function formatChain(type: string, { start, first, records, head }: RecordChain): string {
  return canonicalJson({ type, start, first, records: records.map((record) => ({ ...record })), head });
}

/** What SHA-256 is taken of for the head before any record: the document's type. */
export function originBytes(type: string): Uint8Array {
  return utf8(type);
}

/** What SHA-256 is taken of for the head after `record`: the head before it, then the record's canonical JSON in UTF-8. */
export function linkBytes(head: Uint8Array, record: ChainRecord): Uint8Array {
  if (head.length !== 32) throw new TypeError("head: expected 32 bytes");
  return concatBytes(head, utf8(canonicalJson({ ...record })));
}

/** In what a chain can differ from what it has to be. */
export type ChainFault = "origin" | "sequence" | "head" | "statement" | "unattested";

/** One difference. Its words are ours, numbers and digests: safe to show. */
export interface ChainDifference {
  readonly fault: ChainFault;
  readonly expected: string;
  readonly actual: string;
}

/**
 * Compares a chain with itself and with the head that an *affirmed* Statement names; null where that is null, which is a
 * difference. Empty: up to that head, every record is as it was written. Records behind it are vouched for by nothing but
 * the attested session over which they came: whoever has them from elsewhere has no word of the hardware on them.
 */
export async function compareChain(
  type: string,
  chain: RecordChain,
  statementHead: string | null,
): Promise<readonly ChainDifference[]> {
  const heads = await headsOf(chain);
  return [
    ...(await originDifference(type, chain)),
    ...sequenceDifference(chain),
    ...headDifference(chain, heads),
    ...statementDifference(heads, statementHead),
  ];
}

/** The head before the first record, and after each. */
async function headsOf({ start, records }: RecordChain): Promise<readonly string[]> {
  let head = parseSha256(start, "start");
  const heads = [start];
  for (const record of records) {
    head = await digest("SHA-256", linkBytes(head, record));
    heads.push(formatSha256(head));
  }
  return heads;
}

async function originDifference(type: string, { start, first }: RecordChain): Promise<readonly ChainDifference[]> {
  if (first !== 0) return [];
  const expected = formatSha256(await digest("SHA-256", originBytes(type)));
  return start === expected ? [] : [{ fault: "origin", expected, actual: start }];
}

function sequenceDifference({ first, records }: RecordChain): readonly ChainDifference[] {
  const index = records.findIndex(({ seq }, at) => seq !== first + at);
  const wrong = records[index];
  if (wrong === undefined) return [];
  return [{ fault: "sequence", expected: `record ${first + index}`, actual: `record ${wrong.seq}` }];
}

function headDifference({ head }: RecordChain, heads: readonly string[]): readonly ChainDifference[] {
  const expected = heads.at(-1) ?? "";
  return head === expected ? [] : [{ fault: "head", expected, actual: head }];
}

function statementDifference(heads: readonly string[], statementHead: string | null): readonly ChainDifference[] {
  const expected = "a head of this chain";
  if (statementHead === null) return [{ fault: "unattested", expected, actual: "none in the Statement" }];
  return heads.includes(statementHead) ? [] : [{ fault: "statement", expected, actual: statementHead }];
}
