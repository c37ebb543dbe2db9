/** The certificates that a host hands over beside a report. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EncodingError } from "@blindbox/encoding";
import { parseCertificateTable } from "@blindbox/attestation/endorsers";

const guids = {
  vcek: "63da758d-e664-4564-adc5-f4b93be8accd",
  vlek: "a8074bc2-a25a-483e-aae6-39c045a0b8a1",
  ask: "4ab7b379-bbac-4fe4-a02f-05aef327c782",
  ark: "c0b406a4-a803-4952-9743-3fb6014cd0ae",
  crl: "92f81bc3-5811-4d3d-97ff-d19f88dc67ea",
  unknown: "01234567-89ab-cdef-0123-456789abcdef",
  zero: "00000000-0000-0000-0000-000000000000",
};

type Row = readonly [kind: keyof typeof guids, offset: number, length: number];

function table(rows: readonly Row[], size: number): Uint8Array {
  const bytes = Buffer.alloc(size, 0xcc);
  for (const [at, [kind, offset, length]] of [...rows, ["zero", 0, 0] as const].entries()) {
    bytes.set(Buffer.from(guids[kind].replaceAll("-", ""), "hex"), 24 * at);
    bytes.writeUInt32LE(offset, 24 * at + 16);
    bytes.writeUInt32LE(length, 24 * at + 20);
  }
  return new Uint8Array(bytes);
}

const none = { vcek: null, vlek: null, ask: null, ark: null, crl: null };

describe("a certificate table", () => {
  test("has each kind by its GUID, in whatever order, and passes over what it does not know", () => {
    const bytes = table(
      [
        ["unknown", 170, 4],
        ["ark", 168, 2],
        ["vlek", 144, 3],
        ["ask", 150, 1],
      ],
      200,
    );
    bytes.set([1, 2, 3], 144);
    bytes.set([4], 150);
    bytes.set([5, 6], 168);
    expect(parseCertificateTable(bytes)).toEqual({
      ...none,
      vlek: Uint8Array.of(1, 2, 3),
      ask: Uint8Array.of(4),
      ark: Uint8Array.of(5, 6),
    });
  });

  test("may hold a VCEK and a CRL", () => {
    const bytes = table(
      [
        ["vcek", 72, 1],
        ["crl", 73, 2],
      ],
      75,
    );
    expect(parseCertificateTable(bytes)).toEqual({
      ...none,
      vcek: Uint8Array.of(0xcc),
      crl: Uint8Array.of(0xcc, 0xcc),
    });
  });

  test.each([
    ["no bytes", new Uint8Array()],
    ["an entry of zeros alone", table([], 24)],
    ["padding behind it", table([], 4096)],
  ])("of %s has nothing", (_name, bytes) => {
    expect(parseCertificateTable(bytes)).toEqual(none);
  });

  test("gives copies: the table may be wiped", () => {
    const bytes = table([["vcek", 48, 1]], 49);
    const { vcek } = parseCertificateTable(bytes);
    bytes.fill(0);
    expect(vcek).toEqual(Uint8Array.of(0xcc));
  });

  test.each<[string, Uint8Array]>([
    ["without its end", table([["vcek", 48, 1]], 49).subarray(0, 24)],
    ["cut in an entry", table([], 24).subarray(0, 23)],
    ["with contents past the end", table([["vcek", 48, 2]], 49)],
    ["with contents whose end wraps around", table([["vcek", 48, 0xffffffff]], 49)],
    ["with an offset past the end", table([["vcek", 0xffffffff, 1]], 49)],
    ["with contents in the list", table([["vcek", 0, 24]], 72)],
    ["with contents in the last entry", table([["vcek", 47, 1]], 72)],
    [
      "with contents that overlap",
      table(
        [
          ["vcek", 72, 4],
          ["ask", 75, 4],
        ],
        100,
      ),
    ],
    ["with contents of no bytes", table([["vcek", 48, 0]], 49)],
    [
      "with a kind twice",
      table(
        [
          ["vcek", 72, 1],
          ["vcek", 73, 1],
        ],
        100,
      ),
    ],
    [
      "with an unknown kind twice",
      table(
        [
          ["unknown", 72, 1],
          ["unknown", 73, 1],
        ],
        100,
      ),
    ],
    [
      "with a GUID of zeros that has contents",
      table(
        [
          ["zero", 72, 1],
          ["zero", 73, 1],
        ],
        100,
      ),
    ],
    [
      "with too many entries",
      table(
        Array.from({ length: 17 }, (_, at) => ["unknown", 500 + at, 1] as const),
        600,
      ),
    ],
    ["over 1 MiB", table([], 1024 * 1024 + 1)],
  ])("%s is refused", (_name, bytes) => {
    expect(() => parseCertificateTable(bytes)).toThrow(EncodingError);
  });

  test("ends in a table or an EncodingError, whatever the bytes", () => {
    const rows = fc.array(
      fc.tuple(fc.constantFrom(...(Object.keys(guids) as (keyof typeof guids)[])), fc.nat(300), fc.nat(60)),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(rows, fc.nat(100), (entries, cut) => {
        const bytes = table(entries, 400).subarray(0, 400 - cut);
        try {
          const read = parseCertificateTable(bytes);
          for (const content of Object.values(read)) expect(content?.length).not.toBe(0);
        } catch (error) {
          expect(error).toBeInstanceOf(EncodingError);
        }
      }),
      { numRuns: 300 },
    );
  });
});
