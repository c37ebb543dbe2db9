import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteReader, ByteWriter, EncodingError } from "../src/index.ts";
import { refusal, refusalCode, truncations } from "./refusal.ts";

const sample = Uint8Array.from({ length: 40 }, (_, at) => at + 1);

/** One read of every kind: 1 + 2 + 4 + 8 + 2 + 4 + 8 + 5 + 6 bytes. */
function readAll(bytes: Uint8Array): readonly unknown[] {
  const reader = new ByteReader(bytes, "sample");
  const numbers = [
    reader.u8("a"),
    reader.u16le("b"),
    reader.u32le("c"),
    reader.u64le("d"),
    reader.u16be("e"),
    reader.u32be("f"),
    reader.u64be("g"),
  ];
  const rest = reader.bytes(5, "h");
  reader.mustBeZero(6, "i");
  reader.end();
  return [...numbers, rest];
}

const written = new ByteWriter()
  .u8(0xfe)
  .u16le(0x0102)
  .u32le(0xfffefdfc)
  .u64le(0x0102030405060708n)
  .u16be(0x0102)
  .u32be(0xfffefdfc)
  .u64be(0xffffffffffffffffn)
  .bytes(Uint8Array.of(1, 2, 3, 4, 5))
  .zero(6)
  .finish();

describe("the reader", () => {
  test("reads integers of both byte orders", () => {
    const reader = new ByteReader(Uint8Array.of(1, 2, 1, 2, 1, 2, 3, 255, 1, 2, 3, 255), "sample");
    expect([reader.u16le("a"), reader.u16be("b"), reader.u32le("c"), reader.u32be("d")]).toEqual([
      0x0201, 0x0102, 0xff030201, 0x010203ff,
    ]);
  });

  test("reads 64 bits without losing any", () => {
    const reader = new ByteReader(new Uint8Array(16).fill(0xff), "sample");
    expect([reader.u64le("a"), reader.u64be("b")]).toEqual([2n ** 64n - 1n, 2n ** 64n - 1n]);
  });

  test("reads no bytes where none are asked for, at the end too", () => {
    const reader = new ByteReader(new Uint8Array(0), "sample");
    expect(reader.bytes(0, "a")).toEqual(new Uint8Array(0));
    reader.mustBeZero(0, "b");
    reader.end();
    expect(reader.offset).toBe(0);
  });

  test("knows how much was read and how much is left", () => {
    const reader = new ByteReader(sample, "sample");
    reader.bytes(7, "a");
    expect([reader.offset, reader.remaining]).toEqual([7, 33]);
  });

  test("gives a view of the same memory, of the bytes asked for only", () => {
    const memory = sample.slice();
    const view = new ByteReader(memory.subarray(3, 20), "sample").bytes(4, "a");
    memory[3] = 200;
    expect(view).toEqual(Uint8Array.of(200, 5, 6, 7));
  });

  test("gives plain arrays, also of a Buffer", () => {
    const view = new ByteReader(Buffer.from([1, 2, 3]), "sample").bytes(2, "a");
    expect(Object.getPrototypeOf(view)).toBe(Uint8Array.prototype);
  });

  test("refuses every truncation, naming the field", () => {
    for (const short of truncations(written)) {
      const error = refusal(() => readAll(short));
      expect(error.code).toBe("truncated");
      expect(error.field).toMatch(/^sample\.[a-i]$/);
    }
  });

  test("stands where it stood after a refused read", () => {
    const reader = new ByteReader(sample, "sample");
    refusal(() => reader.bytes(41, "a"));
    expect([reader.offset, reader.u8("b")]).toEqual([0, 1]);
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])("refuses the length %s", (length) => {
    expect(refusalCode(() => new ByteReader(sample, "sample").bytes(length, "a"))).toBe("bad-encoding");
    expect(refusalCode(() => new ByteReader(sample, "sample").mustBeZero(length, "a"))).toBe("bad-encoding");
  });

  test("refuses trailing bytes", () => {
    expect(refusalCode(() => readAll(Uint8Array.of(...written, 0)))).toBe("trailing-bytes");
  });

  test("refuses reserved bytes with any one bit set", () => {
    for (let bit = 0; bit < 48; bit += 1) {
      const reserved = new Uint8Array(6);
      reserved[bit >> 3] = 1 << (bit & 7);
      const error = refusal(() => new ByteReader(reserved, "sample").mustBeZero(6, "a"));
      expect([error.code, error.field]).toEqual(["reserved-not-zero", "sample.a"]);
    }
  });

  test("says field, expected and actual in the message", () => {
    const error = refusal(() => new ByteReader(Uint8Array.of(1), "report").u32le("flags"));
    expect(error.message).toBe("report.flags: expected 4 bytes, got 1 bytes (truncated)");
    expect(error.name).toBe("EncodingError");
  });
});

describe("the writer", () => {
  test("writes what the reader reads", () => {
    expect(readAll(written)).toEqual([
      0xfe,
      0x0102,
      0xfffefdfc,
      0x0102030405060708n,
      0x0102,
      0xfffefdfc,
      2n ** 64n - 1n,
      Uint8Array.of(1, 2, 3, 4, 5),
    ]);
  });

  test("agrees with a DataView over any row of fields", () => {
    const field = fc.record({ value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), kind: fc.nat(7) });
    fc.assert(
      fc.property(fc.array(field, { maxLength: 200 }), (fields) => {
        const writer = new ByteWriter();
        for (const { value, kind } of fields) write(writer, value, kind);
        expect(writer.finish()).toEqual(reference(fields));
      }),
    );
  });

  test("keeps what it gave out when it writes on", () => {
    const writer = new ByteWriter().u8(1);
    const first = writer.finish();
    writer.u8(2);
    expect([first, writer.finish()]).toEqual([Uint8Array.of(1), Uint8Array.of(1, 2)]);
  });

  test.each([-1, 256, 1.5, Number.NaN])("takes %s for a caller's mistake, not for a byte", (value) => {
    expect(() => new ByteWriter().u8(value)).toThrow(TypeError);
  });

  test("writes on where its memory had to grow, for every field", () => {
    for (let kind = 0; kind < 8; kind += 1) {
      for (let before = 240; before <= 256; before += 1) {
        const writer = new ByteWriter().zero(before);
        write(writer, 0x0102030405060708n, kind);
        const expected = Buffer.concat([Buffer.alloc(before), reference([{ value: 0x0102030405060708n, kind }])]);
        expect(writer.finish()).toEqual(new Uint8Array(expected));
      }
    }
  });

  test("takes the least and the largest number of every field", () => {
    const least = new ByteWriter().u8(0).u16le(0).u16be(0).u32le(0).u32be(0).u64le(0n).u64be(0n).zero(0);
    expect(least.finish()).toEqual(new Uint8Array(29));
    const largest = new ByteWriter().u8(0xff).u16le(0xffff).u16be(0xffff).u32le(0xffff_ffff).u32be(0xffff_ffff);
    largest.u64le(2n ** 64n - 1n).u64be(2n ** 64n - 1n);
    expect(largest.finish()).toEqual(new Uint8Array(29).fill(0xff));
  });

  test("writes nothing of a refused number", () => {
    const writer = new ByteWriter().u8(1);
    expect(() => writer.u32le(-1)).toThrow(TypeError);
    expect(writer.u8(2).finish()).toEqual(Uint8Array.of(1, 2));
  });

  test("cuts no number off", () => {
    const writer = new ByteWriter();
    const attempts = [
      () => writer.u16le(0x1_0000),
      () => writer.u16be(0x1_0000),
      () => writer.u32le(0x1_0000_0000),
      () => writer.u32be(0x1_0000_0000),
      () => writer.u64le(2n ** 64n),
      () => writer.u64be(-1n),
      () => writer.zero(-1),
    ];
    for (const attempt of attempts) {
      expect(attempt).toThrow(TypeError);
      expect(attempt).not.toThrow(EncodingError);
    }
  });
});

function write(writer: ByteWriter, value: bigint, kind: number): void {
  const small = Number(BigInt.asUintN(32, value));
  if (kind === 0) writer.u8(small & 0xff);
  if (kind === 1) writer.u16le(small & 0xffff);
  if (kind === 2) writer.u16be(small & 0xffff);
  if (kind === 3) writer.u32le(small);
  if (kind === 4) writer.u32be(small);
  if (kind === 5) writer.u64le(value);
  if (kind === 6) writer.u64be(value);
  if (kind === 7) writer.zero(small % 400);
}

function reference(fields: readonly { value: bigint; kind: number }[]): Uint8Array {
  const parts = fields.map(({ value, kind }) => {
    const small = Number(BigInt.asUintN(32, value));
    const size = [1, 2, 2, 4, 4, 8, 8, small % 400][kind] ?? 0;
    if (kind === 7) return Buffer.alloc(size);
    const big = Buffer.from(value.toString(16).padStart(16, "0"), "hex").subarray(8 - size);
    return [1, 3, 5].includes(kind) ? Buffer.from(big).reverse() : big;
  });
  return new Uint8Array(Buffer.concat(parts));
}
