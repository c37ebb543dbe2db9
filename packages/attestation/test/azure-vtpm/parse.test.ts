/** The readers on their own: any bytes are read or refused, and what is read is what was written. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EncodingError, type JsonValue } from "@blindbox/encoding";
import { parseHclReport } from "../../src/azure-vtpm/hcl-report.ts";
import { parseRuntimeData } from "../../src/azure-vtpm/runtime-data.ts";
import { parseTdReport } from "../../src/azure-vtpm/td-report.ts";
import { parseTpmQuote } from "../../src/azure-vtpm/tpm-quote.ts";
import { rightBody } from "../tdx/quote.ts";
import { hclReport, tdReport, type TdReportFields } from "./hcl.ts";
import { quoteBytes } from "./tpm.ts";
import { fakeTee, mintEvidence, rightRuntimeData } from "./vendor.ts";

const bytesOf = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const noise = fc.uint8Array({ maxLength: 3000 });
const runtimeData = new Uint8Array(Buffer.from(JSON.stringify(rightRuntimeData)));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const tdFields: TdReportFields = {
  type: Uint8Array.of(0x81, 0, 0, 0),
  reserved: new Uint8Array(12),
  cpuSvn: new Uint8Array(16),
  tcbInfoHash: null,
  tdInfoHash: null,
  ...rightBody,
  reservedBehind: new Uint8Array(32),
  mac: new Uint8Array(32),
  valid: new Uint8Array(8),
  tcbInfoReserved: new Uint8Array(95),
  between: new Uint8Array(17),
  tdInfoReserved: new Uint8Array(64),
};

/** The right bytes of each format, with its reader. */
const formats: readonly (readonly [name: string, right: Uint8Array, read: (bytes: Uint8Array) => unknown])[] = [
  ["an HCL report", hclReport(new Uint8Array(1184).fill(7), runtimeData, {}), parseHclReport],
  ["runtime data", runtimeData, parseRuntimeData],
  ["a TDREPORT", tdReport(tdFields), parseTdReport],
  ["a TPM's quote", quoteBytes(), parseTpmQuote],
  ["the whole document", mintEvidence().bytes, (bytes) => fakeTee().parseEvidence(bytes)],
];

function isRefused(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): boolean {
  try {
    read(bytes);
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(EncodingError);
    return true;
  }
}

describe.each(formats)("%s", (name, right, read) => {
  test("is read as it is", () => {
    expect(isRefused(read, right)).toBe(false);
  });

  test("that is cut at any length is refused, but for zeros behind an HCL report", () => {
    const end = name === "an HCL report" ? 1236 + runtimeData.length : right.length;
    const step = right.length > 4000 ? 7 : 1;
    for (let length = 0; length < end; length += step) {
      expect([length, isRefused(read, right.slice(0, length))]).toEqual([length, true]);
    }
  });

  test("with a byte more is refused", () => {
    for (const byte of [1, 0x20, 0x7d, 0xff]) {
      const mutant = new Uint8Array([...right, byte]);
      expect([byte, isRefused(read, mutant)]).toEqual([byte, byte !== 0x20 || name !== "runtime data"]);
    }
  });

  test("that is noise, or right but for some bytes, is read or refused, never anything else", () => {
    const edits = fc.array(fc.tuple(fc.nat({ max: right.length - 1 }), fc.nat({ max: 255 })), { maxLength: 6 });
    fc.assert(
      fc.property(noise, edits, (bytes, changes) => {
        isRefused(read, bytes);
        isRefused(
          read,
          changes.reduce((all, [at, byte]) => all.with(at, byte), right),
        );
      }),
      { numRuns: 200 },
    );
  });
});

const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });

test("every field of a quote is read from where it was written", () => {
  const selections = fc.uniqueArray(fc.nat({ max: 23 }), { minLength: 1, maxLength: 24 });
  fc.assert(
    fc.property(selections, fc.uint8Array({ maxLength: 64 }), bytesOf(32), u64, (pcrs, extraData, digest, clock) => {
      const unsigned = (quote: Uint8Array): Uint8Array => {
        const copy = Buffer.from(quote);
        copy.writeBigUInt64BE(clock, 6 + 36 + 2 + extraData.length);
        return new Uint8Array(copy);
      };
      const bytes = quoteBytes({ extraData, banks: [{ pcrs }], pcrDigest: () => digest, unsigned });
      const read = parseTpmQuote(bytes);
      expect(read.selection).toEqual([...pcrs].sort((a, b) => a - b));
      expect([hex(read.extraData), hex(read.pcrDigest), hex(read.signed)]).toEqual([extraData, digest, bytes].map(hex));
      expect(read.clock).toEqual({ milliseconds: clock, resetCount: 7, restartCount: 3, safe: true });
    }),
  );
});

test("an HCL report gives back the parts that were put in", () => {
  fc.assert(
    fc.property(
      bytesOf(1184),
      fc.uint8Array({ minLength: 1, maxLength: 2000 }),
      fc.nat({ max: 300 }),
      (area, data, more) => {
        const read = parseHclReport(hclReport(area, data, { padding: new Uint8Array(more) }));
        expect([hex(read.hardwareReport), hex(read.runtimeData)]).toEqual([hex(area), hex(data)]);
      },
    ),
  );
});

test("every byte of a TDREPORT is compared, hashed or reserved, but for what the machine alone can check", () => {
  const right = tdReport(tdFields);
  const before = JSON.stringify(parseTdReport(right));
  const unnoticed = [...right.keys()].filter((at) => {
    const mutant = right.with(at, (right[at] ?? 0) ^ 0x10);
    return !isRefused(parseTdReport, mutant) && JSON.stringify(parseTdReport(mutant)) === before;
  });
  const cpuSvn = Array.from({ length: 16 }, (_, at) => 16 + at);
  const mac = Array.from({ length: 32 }, (_, at) => 224 + at);
  expect(unnoticed).toEqual([...cpuSvn, ...mac]);
});

test("a TD quote loses the zeros behind its end; anything else there, or less than a quote, is refused", () => {
  const { bytes } = mintEvidence({ on: "tdx", tdQuote: (right) => right });
  const { tdQuote = "" } = JSON.parse(Buffer.from(bytes).toString()) as { readonly tdQuote?: string };
  const quote = new Uint8Array(Buffer.from(tdQuote, "base64url"));
  const read = (tail: readonly number[], length = quote.length): JsonValue => {
    const change = { on: "tdx", tdQuote: () => new Uint8Array([...quote.slice(0, length), ...tail]) } as const;
    return { ...fakeTee().parseEvidence(mintEvidence(change).bytes).facts };
  };
  const alone = read([]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (behind) => {
      if (behind.every((byte) => byte === 0)) expect(read([...behind])).toEqual(alone);
      else expect(() => read([...behind])).toThrow(EncodingError);
    }),
  );
  expect(() => read([], -1)).toThrow(EncodingError);
});
