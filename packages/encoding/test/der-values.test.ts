import { Integer, ObjectIdentifier } from "asn1js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  DER_TAG,
  derBits,
  derBitString,
  derBoolean,
  derInteger,
  derOctetString,
  derOid,
  derRead,
  derSmallInteger,
  derText,
  derTime,
  derUnsigned,
  fromHex,
  toHex,
  utf8,
  type DerElement,
} from "../src/index.ts";
import { der } from "./der-bytes.ts";
import { refusal, refusalCode } from "./refusal.ts";

const read = (hex: string): DerElement => derRead(fromHex(hex));
const text = (tag: number, value: string): DerElement => derRead(der(tag, utf8(value)));

describe("every reader of a value", () => {
  const readers = [
    derBoolean,
    derInteger,
    derUnsigned,
    derSmallInteger,
    derOctetString,
    derBits,
    derBitString,
    derOid,
    derText,
    derTime,
  ] as const;

  test.each(readers.map((reader) => [reader.name, reader] as const))(
    "%s refuses another tag, naming the field",
    (_, reader) => {
      for (const tag of [DER_TAG.null, 0x80, 0x81, 0x82, 0x83, 0x86, 0x97]) {
        const error = refusal(() => reader(derRead(der(tag)), "cert.field"));
        expect([error.code, error.field]).toEqual(["bad-encoding", "cert.field"]);
      }
    },
  );

  test.each(readers.map((reader) => [reader.name, reader] as const))("%s refuses a missing element", (_, reader) => {
    expect(refusalCode(() => reader(undefined))).toBe("truncated");
  });
});

describe("BOOLEAN", () => {
  test("is 0xff or 0x00", () => {
    expect([derBoolean(read("0101ff")), derBoolean(read("010100"))]).toEqual([true, false]);
  });

  test("is no other of the 256 bytes, nor another number of them", () => {
    for (let value = 1; value < 255; value += 1) {
      expect(refusalCode(() => derBoolean(derRead(Uint8Array.of(1, 1, value))))).toBe("bad-encoding");
    }
    for (const hex of ["0100", "01020000", "0102ffff"])
      expect(refusalCode(() => derBoolean(read(hex)))).toBe("bad-encoding");
  });
});

describe("INTEGER", () => {
  test.each([
    ["020100", "00"],
    ["02017f", "7f"],
    ["02020080", "0080"],
    ["020180", "80"],
    ["0202ff7f", "ff7f"],
    ["0201ff", "ff"],
  ])("%s is the two's complement %s", (hex, contents) => {
    expect(toHex(derInteger(read(hex)))).toBe(contents);
  });

  test.each(["0200", "02020000", "0202007f", "0202ffff", "0202ff80"])("%s is refused", (hex) => {
    expect(refusalCode(() => derInteger(read(hex)))).toBe("bad-encoding");
  });

  test("agrees with asn1js on any non-negative number", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 200n }), (value) => {
        const bytes = new Uint8Array(Integer.fromBigInt(value).toBER());
        expect(BigInt(`0x${toHex(derUnsigned(derRead(bytes)))}`)).toBe(value);
      }),
    );
  });

  test("is read by derUnsigned without its sign byte, and never with a leading zero", () => {
    expect(["020100", "02017f", "02020080", "020300ffff"].map((hex) => toHex(derUnsigned(read(hex))))).toEqual([
      "00",
      "7f",
      "80",
      "ffff",
    ]);
  });

  test("is not negative for derUnsigned", () => {
    for (const hex of ["020180", "0201ff", "0202ff7f"])
      expect(refusalCode(() => derUnsigned(read(hex)))).toBe("bad-encoding");
  });

  test("is a number up to 6 bytes for derSmallInteger", () => {
    expect(
      ["020100", "020200ff", "0206010203040506", "020700ffffffffffff"].map((hex) => derSmallInteger(read(hex))),
    ).toEqual([0, 255, 0x010203040506, 2 ** 48 - 1]);
    expect(refusalCode(() => derSmallInteger(read("020701000000000000")))).toBe("limit-exceeded");
    expect(refusalCode(() => derSmallInteger(read("0201ff")))).toBe("bad-encoding");
  });
});

describe("BIT STRING", () => {
  test("is bytes and a count of unused bits", () => {
    expect(derBits(read("030206c0"))).toEqual({ bytes: Uint8Array.of(0xc0), unusedBits: 6 });
    expect(derBits(read("030100"))).toEqual({ bytes: new Uint8Array(0), unusedBits: 0 });
    expect(toHex(derBitString(read("0303000102")))).toBe("0102");
  });

  test("has unused bits of zero: every other last byte is refused", () => {
    for (let unused = 0; unused <= 7; unused += 1) {
      for (let last = 0; last < 256; last += 1) {
        const bits = (): unknown => derBits(derRead(Uint8Array.of(3, 2, unused, last)));
        if (last % 2 ** unused === 0) expect(bits()).toEqual({ bytes: Uint8Array.of(last), unusedBits: unused });
        else expect(refusalCode(bits)).toBe("bad-encoding");
      }
    }
  });

  test.each(["0300", "030101", "030107", "03020800", "0302ff00"])("%s is refused", (hex) => {
    expect(refusalCode(() => derBits(read(hex)))).toBe("bad-encoding");
  });

  test("is whole bytes for derBitString", () => {
    expect(refusalCode(() => derBitString(read("030206c0")))).toBe("bad-encoding");
  });
});

describe("OBJECT IDENTIFIER", () => {
  test.each([
    ["06032a0304", "1.2.3.4"],
    ["06072a8648ce3d0201", "1.2.840.10045.2.1"],
    ["0603883703", "2.999.3"],
    ["060127", "0.39"],
    ["060128", "1.0"],
    ["06014f", "1.39"],
    ["060150", "2.0"],
    ["060155", "2.5"],
    ["06092b060104019c780103", "1.3.6.1.4.1.3704.1.3"],
    ["06092a8fffffffffffff7f", "1.2.9007199254740991"],
  ])("%s is %s", (hex, dotted) => {
    expect(derOid(read(hex))).toBe(dotted);
  });

  test("agrees with asn1js on any arcs", () => {
    const first = fc.constantFrom("0.0", "0.39", "1.2", "1.39", "2.5", "2.39", "2.40", "2.47", "2.100", "2.999");
    fc.assert(
      fc.property(first, fc.array(fc.nat(0x7fffffff), { maxLength: 8 }), (start, arcs) => {
        const dotted = [start, ...arcs].join(".");
        const bytes = new Uint8Array(new ObjectIdentifier({ value: dotted }).toBER());
        expect(derOid(derRead(bytes))).toBe(dotted);
      }),
    );
  });

  test.each([
    ["nothing", "0600"],
    ["a leading zero in the first arc", "0602802a"],
    ["a leading zero in a later arc", "06032a8001"],
    ["an unfinished arc", "06022a86"],
    ["the arc 2^53", "06092a9080808080808000"],
    ["an arc of fifty bytes", `06332a${"ff".repeat(49)}7f`],
  ])("%s is refused", (_, hex) => {
    expect(refusalCode(() => derOid(read(hex)))).toBe("bad-encoding");
  });

  test("has at most 64 bytes", () => {
    expect(derOid(derRead(der(0x06, new Uint8Array(64).fill(1)))).split(".")).toHaveLength(65);
    expect(refusalCode(() => derOid(derRead(der(0x06, new Uint8Array(65).fill(1)))))).toBe("limit-exceeded");
  });
});

describe("strings", () => {
  test("are read in the three types that certificates use", () => {
    const values = [
      text(DER_TAG.utf8String, "Zürich 😀"),
      text(DER_TAG.printableString, "AMD (x), a=b?"),
      text(DER_TAG.ia5String, "a@b_c"),
    ];
    expect(values.map((value) => derText(value))).toEqual(["Zürich 😀", "AMD (x), a=b?", "a@b_c"]);
  });

  test("hold no character that their type does not have", () => {
    for (const character of '@_*&"<>;é\0\n') {
      expect(refusalCode(() => derText(text(DER_TAG.printableString, character)))).toBe("bad-encoding");
    }
    expect(refusalCode(() => derText(text(DER_TAG.ia5String, "é")))).toBe("bad-encoding");
    expect(refusalCode(() => derText(read("0c01ff")))).toBe("bad-encoding");
  });

  test.each([0x14, 0x1e, 0x1a, 0x1c])("are not read in the type %i", (tag) => {
    expect(refusalCode(() => derText(text(tag, "ab")))).toBe("bad-encoding");
  });
});

describe("time", () => {
  const utc = (value: string): number => derTime(text(DER_TAG.utcTime, value));
  const generalized = (value: string): number => derTime(text(DER_TAG.generalizedTime, value));
  const seconds = (iso: string): number => Date.parse(iso) / 1000;

  test("is seconds since 1970 in both forms", () => {
    expect(utc("700101000000Z")).toBe(0);
    expect(utc("260727120000Z")).toBe(seconds("2026-07-27T12:00:00Z"));
    expect(generalized("20260727120000Z")).toBe(seconds("2026-07-27T12:00:00Z"));
    expect(generalized("99991231235959Z")).toBe(253402300799);
  });

  test("has two digits of a year from 1950 to 2049", () => {
    expect([utc("491231235959Z"), utc("500101000000Z")]).toEqual([
      seconds("2049-12-31T23:59:59Z"),
      seconds("1950-01-01T00:00:00Z"),
    ]);
  });

  test("knows leap years", () => {
    expect(generalized("20240229000000Z")).toBe(seconds("2024-02-29T00:00:00Z"));
    expect(generalized("20000229000000Z")).toBe(seconds("2000-02-29T00:00:00Z"));
    for (const day of ["20230229", "21000229", "20240230", "20240231", "20240431"]) {
      expect(refusalCode(() => generalized(`${day}000000Z`))).toBe("bad-encoding");
    }
  });

  test("of any date comes back", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }),
        (date) => {
          const value = `${date.toISOString().replaceAll(/[-:T]|\.\d+Z/g, "")}Z`;
          expect(generalized(value)).toBe(Math.floor(date.getTime() / 1000));
        },
      ),
    );
  });

  test.each([
    "",
    "2607271200Z",
    "260727120000",
    "260727120000z",
    "260727120000+0000",
    "260727120000-0700",
    "20260727120000Z",
    "260727 20000Z",
    "26072712000Z",
    "260700120000Z",
    "260001120000Z",
    "261301120000Z",
    "260732120000Z",
    "260727240000Z",
    "260727126000Z",
    "260727120060Z",
    "260727120000Z\n",
    "٢٦٠٧٢٧١٢٠٠٠٠Z",
    "-60727120000Z",
  ])("UTCTime %j is refused", (value) => {
    expect(refusalCode(() => utc(value))).toBe("bad-encoding");
  });

  test.each([
    "",
    "260727120000Z",
    "20260727120000",
    "20260727120000.5Z",
    "20260727120000.0Z",
    "20260727120000+0000",
    "202607271200Z",
    "20261301000000Z",
    "20260727240000Z",
    "20260727235960Z",
    "+020260727120000Z",
  ])("GeneralizedTime %j is refused", (value) => {
    expect(refusalCode(() => generalized(value))).toBe("bad-encoding");
  });
});
