/** Parse: what TPM2_Quote signs (TPM 2.0 Library, part 2: TPMS_ATTEST with TPMS_QUOTE_INFO). Big-endian. No trust. */
import { ByteReader, EncodingError } from "@blindbox/encoding";
import { EvidenceError } from "../evidence-error.ts";
import type { FailureCode } from "../failure-codes.ts";

/** A quote over PCRs of the SHA-256 bank. */
export interface TpmQuote {
  /** The name of the key that signed, by the TPM: an algorithm and a digest. */
  readonly qualifiedSigner: Uint8Array;
  /** What the asker had the TPM sign along, 0 to 64 bytes. */
  readonly extraData: Uint8Array;
  readonly clock: TpmClock;
  readonly firmwareVersion: bigint;
  /** Numbers of the quoted PCRs, ascending. Never empty. */
  readonly selection: readonly number[];
  /** SHA-256 over the values of the quoted PCRs, in this order. */
  readonly pcrDigest: Uint8Array;
  /** The bytes that were signed. */
  readonly signed: Uint8Array;
}

/** Counters of the TPM. They are its maker's to keep: nothing here is judged by them. */
export interface TpmClock {
  readonly milliseconds: bigint;
  readonly resetCount: number;
  readonly restartCount: number;
  readonly safe: boolean;
}

/** How many PCRs a TPM for PCs has, which is what three bytes select. */
export const PCR_COUNT = 24;

/** Everything that a TPM signs of its own begins so, and nothing does that it signs for others: no key of it signs both. */
const tpmGenerated = 0xff_54_43_47;
const attestQuote = 0x8018;
const sha256Algorithm = 0x000b;
const sha256Length = 32;
/** TPM2B_DATA holds at most a digest of 64 bytes; an algorithm before it would be 2 more, which no quote needs. */
const maxExtraData = 64;

/**
 * Reads a quote. Keeps the bytes.
 *
 * @throws EvidenceError or EncodingError for another magic or type, a signer whose name is no SHA-256 one, more than one bank or
 * another than SHA-256's, a selection of none, and whatever is cut short or follows behind the end.
 */
export function parseTpmQuote(signed: Uint8Array): TpmQuote {
  const reader = new ByteReader(signed, "quote");
  expect(reader.u32be("magic"), tpmGenerated, "unsupported-format", "magic");
  expect(reader.u16be("type"), attestQuote, "unsupported-format", "type");
  const qualifiedSigner = readName(reader);
  const extraData = readSized(reader, "extraData", maxExtraData);
  const clock = readClock(reader);
  const firmwareVersion = reader.u64be("firmwareVersion");
  const selection = readSelection(reader);
  expect(reader.u16be("pcrDigest"), sha256Length, "bad-length", "pcrDigest");
  const pcrDigest = reader.bytes(sha256Length, "pcrDigest");
  reader.end();
  return { qualifiedSigner, extraData, clock, firmwareVersion, selection, pcrDigest, signed };
}

function readName(reader: ByteReader): Uint8Array {
  expect(reader.u16be("qualifiedSigner"), 2 + sha256Length, "bad-length", "qualifiedSigner");
  const name = reader.bytes(2 + sha256Length, "qualifiedSigner");
  expect(new ByteReader(name, "name").u16be("algorithm"), sha256Algorithm, "unsupported-algorithm", "qualifiedSigner");
  return name;
}

function readSized(reader: ByteReader, field: string, max: number): Uint8Array {
  const length = reader.u16be(field);
  if (length > max) throw new EvidenceError("bad-length", `quote.${field}`, `at most ${max} bytes`, `${length} bytes`);
  return reader.bytes(length, field);
}

function readClock(reader: ByteReader): TpmClock {
  const milliseconds = reader.u64be("clock");
  const resetCount = reader.u32be("resetCount");
  const restartCount = reader.u32be("restartCount");
  const safe = reader.u8("safe");
  if (safe > 1) throw new EncodingError("bad-encoding", "quote.safe", "0 or 1", String(safe));
  return { milliseconds, resetCount, restartCount, safe: safe === 1 };
}

function readSelection(reader: ByteReader): readonly number[] {
  expect(reader.u32be("banks"), 1, "unsupported-format", "banks");
  expect(reader.u16be("bank"), sha256Algorithm, "unsupported-algorithm", "bank");
  expect(reader.u8("selectionLength"), PCR_COUNT / 8, "bad-length", "selectionLength");
  const bits = reader.bytes(PCR_COUNT / 8, "selection");
  const selection = Array.from({ length: PCR_COUNT }, (_, pcr) => pcr).filter((pcr) => isSelected(bits, pcr));
  if (selection.length > 0) return selection;
  throw new EvidenceError("pcr-mismatch", "quote.selection", "PCRs", "none");
}

function isSelected(bits: Uint8Array, pcr: number): boolean {
  return (((bits[pcr >> 3] ?? 0) >> (pcr & 7)) & 1) === 1;
}

function expect(actual: number, expected: number, failure: FailureCode, field: string): void {
  if (actual === expected) return;
  throw new EvidenceError(failure, `quote.${field}`, `0x${expected.toString(16)}`, `0x${actual.toString(16)}`);
}
