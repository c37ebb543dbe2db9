import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readOrigin } from "../src/options/origin.ts";
import { targetOn } from "../src/request/target.ts";

const origin = readOrigin("https://box.example:8443");

describe("a session's request target", () => {
  test.each([
    ["/", "/"],
    ["/a/b?c=d", "/a/b?c=d"],
    ["/a#fragment", "/a"],
    ["https://box.example:8443/a?b", "/a?b"],
    ["HTTPS://BOX.EXAMPLE:8443/a", "/a"],
    ["//box.example:8443/a", "/a"],
    ["/a/../b", "/b"],
  ])("takes %s as %s", (input, target) => {
    expect(targetOn(origin, input)).toBe(target);
    expect(targetOn(origin, new URL(input, origin))).toBe(target);
  });

  test.each([
    "https://evil.example/",
    "https://box.example/",
    "https://box.example:8444/",
    "http://box.example:8443/",
    "//evil.example/",
    "//evil.example:8443/a",
    "/\\evil.example/",
    "/\t/evil.example/",
    "\\\\evil.example\\a",
    "https:evil.example",
    "https:\\\\evil.example",
    "https://box.example:8443@evil.example/",
    "https://box.example:8443.evil.example/",
    "https://user:word@box.example:8443/",
    "file:///etc/passwd",
    "data:text/plain,x",
    "javascript:alert(1)",
    "a/b",
    "?a",
    "#a",
    "",
    " /a",
    "..//evil.example",
    "https://",
  ])("refuses %j with a TypeError", (input) => {
    expect(() => targetOn(origin, input)).toThrow(TypeError);
  });

  test("refuses what is neither a string nor a URL", () => {
    for (const input of [undefined, null, 1, {}, ["/a"]]) {
      expect(() => targetOn(origin, input as string)).toThrow(TypeError);
    }
  });

  test("does not repeat the input in its message", () => {
    expect(() => targetOn(origin, "https://evil.example/?token=secret")).toThrow(/^(?!.*secret)/);
  });

  test("is a path on the origin for whatever string comes in, or a TypeError", () => {
    const piece = fc.constantFrom(
      "/",
      "\\",
      "//",
      "evil.example",
      "@",
      ":",
      "?",
      "#",
      "..",
      "%2f",
      "https:",
      "\t",
      "\n",
      "a",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        try {
          expect(targetOn(origin, pieces.join(""))).toMatch(/^\//);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
        }
      }),
    );
  });
});

describe("the origin of a session", () => {
  test.each([
    "http://box.example/",
    "https://user@box.example/",
    "https://:word@box.example/",
    "https://box.example/path",
    "https://box.example/?query",
    "https://box.example/#fragment",
    "box.example:8443",
    "wss://box.example/",
    "",
  ])("is not %j", (url) => {
    expect(() => readOrigin(url)).toThrow(TypeError);
  });

  test("is never repeated when it is refused", () => {
    expect(() => readOrigin("https://user:secret@box.example")).toThrow(/^(?!.*secret)/);
  });
});
