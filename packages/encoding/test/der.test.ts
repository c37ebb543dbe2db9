import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  concatBytes,
  derChildren,
  derExpect,
  derRead,
  derSequence,
  DER_TAG,
  equalBytes,
  fromHex,
  toHex,
} from "../src/index.ts";
import { der } from "./der-bytes.ts";
import { refusal, refusalCode, truncations } from "./refusal.ts";

describe("derRead", () => {
  test("gives tag, header, contents and the whole element", () => {
    const element = derRead(fromHex("0403010203"));
    expect([element.tag, element.header, element.depth]).toEqual([0x04, 2, 0]);
    expect([toHex(element.contents), toHex(element.raw)]).toEqual(["010203", "0403010203"]);
  });

  test.each([0, 1, 127, 128, 255, 256, 65_535, 65_536])("reads contents of %i bytes", (length) => {
    const contents = new Uint8Array(length).fill(7);
    const element = derRead(der(0x04, contents));
    expect(equalBytes(element.contents, contents)).toBe(true);
    expect(element.header).toBe(der(0x04, contents).length - length);
  });

  test("gives views, no copies, and reads only its own part of the memory", () => {
    const memory = fromHex("ffff04020102ffff");
    const element = derRead(memory.subarray(2, 6));
    memory[4] = 9;
    expect(toHex(element.contents)).toBe("0902");
    expect(element.raw.buffer).toBe(memory.buffer);
  });

  test("gives plain arrays, also of a Buffer", () => {
    const { contents, raw } = derRead(Buffer.from("0401ff", "hex"));
    expect([contents, raw].map((view) => Object.getPrototypeOf(view) === Uint8Array.prototype)).toEqual([true, true]);
  });

  test.each([
    ["nothing", "", "truncated"],
    ["a tag alone", "04", "truncated"],
    ["contents that are too short", "040201", "truncated"],
    ["a long length that ends early", "0482", "truncated"],
    ["a long length that ends early, one byte later", "048201", "truncated"],
    ["a length beyond the input", "0484ffffffff", "truncated"],
    ["a trailing byte", "040100ff", "trailing-bytes"],
    ["a second element", "05000500", "trailing-bytes"],
    ["end-of-contents behind", "05000000", "trailing-bytes"],
    ["an indefinite length", "308005000000", "bad-encoding"],
    ["an indefinite length of a primitive", "0480010000", "bad-encoding"],
    ["a long length that a short one says", "04810100", "bad-encoding"],
    ["a long length of 127", `04817f${"00".repeat(127)}`, "bad-encoding"],
    ["a leading zero in a length", `04820080${"00".repeat(128)}`, "bad-encoding"],
    ["a length of five bytes", "0485000000000100", "bad-encoding"],
    ["a length of 127 bytes", "04ff", "bad-encoding"],
    ["a tag of more than one byte", "1f0100", "bad-encoding"],
    ["a context tag of more than one byte", "bf210100", "bad-encoding"],
    ["end-of-contents", "0000", "bad-encoding"],
    ["a constructed end-of-contents", "2000", "bad-encoding"],
    ["a primitive SEQUENCE", "1000", "bad-encoding"],
    ["a primitive SET", "1100", "bad-encoding"],
    ["a constructed OCTET STRING", "2403040100", "bad-encoding"],
    ["a constructed BIT STRING", "230403020000", "bad-encoding"],
    ["a constructed INTEGER", "2203020101", "bad-encoding"],
    ["a constructed UTF8String", "2c00", "bad-encoding"],
  ])("refuses %s", (_, hex, code) => {
    expect(refusalCode(() => derRead(fromHex(hex)))).toBe(code);
  });

  test("takes context tags, primitive and constructed", () => {
    for (const tag of [0x80, 0x82, 0xa0, 0xa3, 0xbe]) expect(derRead(Uint8Array.of(tag, 0)).tag).toBe(tag);
  });

  test("takes exactly the tags that DER has, of all 256", () => {
    for (let tag = 0; tag < 256; tag += 1) {
      const number = tag & 0x1f;
      const universal = tag < 0x40;
      const form = number === 16 || number === 17 ? 0x20 : 0x00;
      const expected = number !== 31 && (!universal || (number !== 0 && (tag & 0x20) === form));
      const read = (): unknown => derRead(Uint8Array.of(tag, 0));
      if (expected) expect(read()).toMatchObject({ tag });
      else expect(refusalCode(read)).toBe("bad-encoding");
    }
  });

  test("names the field it was given", () => {
    expect(refusal(() => derRead(new Uint8Array(0), "chain[1]")).field).toBe("chain[1]");
  });
});

describe("derChildren", () => {
  test("gives the elements in order, each a level deeper", () => {
    const children = derChildren(derRead(fromHex("30080201010500040102")));
    expect(children.map(({ tag, depth, contents }) => [tag, depth, toHex(contents)])).toEqual([
      [0x02, 1, "01"],
      [0x05, 1, ""],
      [0x04, 1, "02"],
    ]);
  });

  test("gives none of an empty SEQUENCE", () => {
    expect(derChildren(derRead(fromHex("3000")))).toEqual([]);
  });

  test("refuses a primitive element, even where its contents look like DER", () => {
    expect(refusalCode(() => derChildren(derRead(fromHex("04020500"))))).toBe("bad-encoding");
  });

  test("refuses contents that do not end with an element", () => {
    expect(refusalCode(() => derChildren(derRead(fromHex("3003050005"))))).toBe("truncated");
    expect(refusalCode(() => derChildren(derRead(fromHex("3003040501"))))).toBe("truncated");
  });

  test("does not let a child reach beyond its parent", () => {
    const [inner, behind] = derSequence(derRead(fromHex("3006300204020500")));
    expect(behind?.tag).toBe(DER_TAG.null);
    expect(refusalCode(() => derSequence(inner))).toBe("truncated");
  });

  test("goes 16 levels down and no further", () => {
    const nested = (levels: number): Uint8Array =>
      Array.from({ length: levels }).reduce<Uint8Array>((inner) => der(0x30, inner), der(0x05));
    const descend = (levels: number): number => {
      let element = derRead(nested(levels));
      while (element.tag === DER_TAG.sequence) element = derChildren(element)[0] ?? element;
      return element.depth;
    };
    expect(descend(16)).toBe(16);
    expect(refusalCode(() => descend(17))).toBe("limit-exceeded");
    expect(refusalCode(() => descend(5000))).toBe("limit-exceeded");
  });

  test("gives at most 65,536 children", () => {
    const many = (count: number): Uint8Array =>
      der(
        0x30,
        new Uint8Array(2 * count).map((_, at) => (at % 2 === 0 ? 5 : 0)),
      );
    expect(derChildren(derRead(many(65_536)))).toHaveLength(65_536);
    expect(refusalCode(() => derChildren(derRead(many(65_537))))).toBe("limit-exceeded");
  });

  test("cuts any row of elements where it was joined, and refuses every truncation", () => {
    const element = fc.tuple(fc.constantFrom(0x02, 0x04, 0x80, 0xa1, 0x30), fc.uint8Array({ maxLength: 140 }));
    fc.assert(
      fc.property(fc.array(element, { minLength: 1, maxLength: 4 }), (parts) => {
        const raws = parts.map(([tag, contents]) => der(tag, contents));
        const whole = der(0x30, ...raws);
        expect(derSequence(derRead(whole)).map(({ raw }) => raw)).toEqual(raws);
        for (const short of truncations(whole)) expect(refusalCode(() => derRead(short))).toBe("truncated");
      }),
      { numRuns: 50 },
    );
  });
});

describe("derExpect and derSequence", () => {
  test("give the element, or its children, where the tag is right", () => {
    const element = derRead(fromHex("30020500"));
    expect(derExpect(element, DER_TAG.sequence)).toBe(element);
    expect(derSequence(element)).toHaveLength(1);
  });

  test("refuse another tag and a missing element, naming the field", () => {
    const set = derRead(fromHex("3100"));
    expect(refusal(() => derSequence(set, "tbs")).field).toBe("tbs");
    expect(refusalCode(() => derExpect(set, DER_TAG.sequence))).toBe("bad-encoding");
    expect(refusalCode(() => derExpect(undefined, DER_TAG.sequence))).toBe("truncated");
  });

  test("do not take a context tag for the universal one of the same number", () => {
    for (const tag of [0xb0, 0x90, 0x70]) {
      expect(refusalCode(() => derSequence(derRead(concatBytes(Uint8Array.of(tag), Uint8Array.of(0)))))).toBe(
        "bad-encoding",
      );
    }
  });
});
