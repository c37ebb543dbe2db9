/** The bytes of a TPM's quote, field by field (TPM 2.0 Library, part 2), so that each can be wrong. */
import { createHash, randomBytes } from "node:crypto";

const u16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff);
const u32 = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const u64 = (value: bigint): Uint8Array => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
};

/** 24 values, none like another. */
export const rightPcrs: readonly Uint8Array[] = Array.from({ length: 24 }, () => new Uint8Array(randomBytes(32)));
export const allPcrs: readonly number[] = Array.from({ length: 24 }, (_, number) => number);
export const NONCE: Uint8Array = new Uint8Array(randomBytes(32));

/** One bank of a selection. */
export interface Bank {
  readonly algorithm: number;
  readonly pcrs: readonly number[];
  readonly length: number;
}

/** What to write differently; everything else is right. */
export interface QuoteChange {
  readonly generated?: number;
  readonly attestType?: number;
  readonly qualifiedSigner?: Uint8Array;
  readonly extraData?: Uint8Array;
  readonly safe?: number;
  readonly banks?: readonly Partial<Bank>[];
  /** The values that the TPM holds. */
  readonly quotedPcrs?: readonly Uint8Array[];
  readonly pcrDigest?: (right: Uint8Array) => Uint8Array;
  /** Changes the quote before it is signed. */
  readonly unsigned?: (quote: Uint8Array) => Uint8Array;
}

const same = <T>(right: T): T => right;
const sha256Name = Buffer.concat([u16(0x0b), randomBytes(32)]);

export function quoteBytes(change: QuoteChange = {}): Uint8Array {
  const banks = (change.banks ?? [{}]).map((bank) => ({ algorithm: 0x0b, pcrs: allPcrs, length: 3, ...bank }));
  const digest = (change.pcrDigest ?? same)(pcrDigest(banks[0]?.pcrs ?? [], change.quotedPcrs ?? rightPcrs));
  const quote = Buffer.concat([
    u32(change.generated ?? 0xff54_4347),
    u16(change.attestType ?? 0x8018),
    sized(change.qualifiedSigner ?? sha256Name),
    sized(change.extraData ?? NONCE),
    u64(0x1122_3344_5566n),
    u32(7),
    u32(3),
    Uint8Array.of(change.safe ?? 1),
    u64(0x2020_0312_0012_0003n),
    u32(banks.length),
    ...banks.map(bankBytes),
    sized(digest),
  ]);
  return (change.unsigned ?? same)(new Uint8Array(quote));
}

function sized(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([u16(bytes.length), bytes]);
}

function bankBytes({ algorithm, pcrs, length }: Bank): Uint8Array {
  const bits = new Uint8Array(length);
  for (const pcr of pcrs) bits[pcr >> 3] = (bits[pcr >> 3] ?? 0) | (1 << (pcr & 7));
  return Buffer.concat([u16(algorithm), Uint8Array.of(length), bits]);
}

/** In ascending order, whatever the order of the list. */
export function pcrDigest(selection: readonly number[], values: readonly Uint8Array[]): Uint8Array {
  const hash = createHash("sha256");
  for (const pcr of [...selection].sort((a, b) => a - b)) hash.update(values[pcr] ?? new Uint8Array());
  return new Uint8Array(hash.digest());
}
