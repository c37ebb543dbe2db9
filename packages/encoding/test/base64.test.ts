import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromBase64, fromBase64url, toBase64, toBase64url } from "../src/index.ts";
import { accepted, refusal, refusalCode } from "./refusal.ts";

const bytes = fc.uint8Array({ maxLength: 300 });

/** RFC 4648, section 10. */
const vectors = [
  ["", ""],
  ["f", "Zg=="],
  ["fo", "Zm8="],
  ["foo", "Zm9v"],
  ["foob", "Zm9vYg=="],
  ["fooba", "Zm9vYmE="],
  ["foobar", "Zm9vYmFy"],
] as const;

describe("base64", () => {
  test.each(vectors)("encodes %j as RFC 4648 does", (text, encoded) => {
    expect(toBase64(Buffer.from(text))).toBe(encoded);
    expect(fromBase64(encoded)).toEqual(new Uint8Array(Buffer.from(text)));
  });

  test("agrees with Buffer on every byte string", () => {
    fc.assert(
      fc.property(bytes, (given) => {
        const text = Buffer.from(given).toString("base64");
        expect(toBase64(given)).toBe(text);
        expect(fromBase64(text)).toEqual(given);
      }),
    );
  });

  test("reads only texts that it writes", () => {
    const unit = fc.constantFrom(..."AQBgw8/9+-_= \n.é".split(""));
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 8 }), (text) => {
        const decoded = accepted(() => fromBase64(text));
        const canonical = Buffer.from(text, "base64").toString("base64") === text;
        expect(decoded === undefined ? null : toBase64(decoded)).toBe(canonical ? text : null);
      }),
      { numRuns: 5000 },
    );
  });

  test.each([
    "Zg",
    "Zg=",
    "Zg===",
    "Z===",
    "====",
    "=",
    "Zg==Zg==",
    "Zm9v\n",
    "Zm 9",
    "Zm9-",
    "Zm9_",
    "Zh==",
    "Zm9=",
    "Z",
  ])("refuses %j", (text) => {
    expect(refusalCode(() => fromBase64(text))).toBe("bad-encoding");
  });
});

describe("base64url", () => {
  test.each(vectors)("encodes %j without padding", (text, encoded) => {
    const unpadded = encoded.replaceAll("=", "");
    expect(toBase64url(Buffer.from(text))).toBe(unpadded);
    expect(fromBase64url(unpadded)).toEqual(new Uint8Array(Buffer.from(text)));
  });

  test("agrees with Buffer on every byte string", () => {
    fc.assert(
      fc.property(bytes, (given) => {
        const text = Buffer.from(given).toString("base64url");
        expect(toBase64url(given)).toBe(text);
        expect(fromBase64url(text)).toEqual(given);
      }),
    );
  });

  test("reads only texts that it writes", () => {
    const unit = fc.constantFrom(..."AQBgw8/9+-_= \n.é".split(""));
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 8 }), (text) => {
        const decoded = accepted(() => fromBase64url(text));
        const canonical = Buffer.from(text, "base64url").toString("base64url") === text;
        expect(decoded === undefined ? null : toBase64url(decoded)).toBe(canonical ? text : null);
      }),
      { numRuns: 5000 },
    );
  });

  test("one byte has one text: every other last digit is refused", () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const read = alphabet.split("").filter((digit) => accepted(() => fromBase64url(`Z${digit}`)) !== undefined);
    expect(read).toEqual(["A", "Q", "g", "w"]);
  });

  test.each(["Zg==", "Z", "Zm9vZ", "Zm9+", "Zm9/", "Zh", "Zm9", "Zm 9v", "Zm9v\n", "\u0100AAA", "ZgZ\u{1f600}"])(
    "refuses %j",
    (text) => {
      expect(refusalCode(() => fromBase64url(text))).toBe("bad-encoding");
    },
  );

  test("names the field, and repeats nothing of the text", () => {
    const error = refusal(() => fromBase64url("secret!!", "document.evidence"));
    expect(error.field).toBe("document.evidence");
    expect(error.message).not.toContain("secret");
  });
});
