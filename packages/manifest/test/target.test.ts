import { readTarget } from "@blindbox/manifest";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

const CONFUSING: readonly string[] = [
  "",
  "*",
  "a",
  "example.com:443",
  "http://example.com/a",
  "https://example.com/",
  "//example.com/a",
  "/a//b",
  "/a//",
  "/a/./b",
  "/a/../b",
  "/..",
  "/.",
  "/a/..",
  "/a/.",
  "/a/..;/b",
  "/a;x=1/b",
  "/a;",
  "/a%3bx",
  "/a%3Bx",
  "/a%2eb",
  "/%2E%2e/b",
  "/.%2e/b",
  "/a%2fb",
  "/a%2Fb",
  "/a%5cb",
  "/a%5Cb",
  "/a%00",
  "/a?x=%00",
  "/a\\b",
  "/a?x=\\",
  "/a#b",
  "/a?x#b",
  "/a b",
  "/a\tb",
  "/a\r\nx: y",
  "/a\u0000",
  "/a\u007f",
  "/é",
  "/a?é",
  "/\uff0e\uff0e/a",
  "/a%",
  "/a%4",
  "/a%zz",
  "/a?x=%",
  "/a?x=%g0",
  "/a%252e%252e/b",
  "/a%252f",
  "/a%25%32%66",
  "/%61dmin",
  "/%41",
  "/a%7Eb",
  "/a%2db",
  "/a%0d%0ab",
  "/a%1f",
  "/a%7f",
  "/%c0%ae%c0%ae/b",
  "/%c0%af",
  "/%e0%80%af",
  "/%ff",
  "/%ed%a0%80",
  `/${"a".repeat(8192)}`,
];

describe("one reading of a target", () => {
  it.each(CONFUSING)("refuses %j", (target) => {
    expect(readTarget(target)).toBeNull();
  });

  it.each([
    ["/", { path: "/", plainPath: "/", query: "" }],
    ["/a", { path: "/a", plainPath: "/a", query: "" }],
    ["/a/", { path: "/a/", plainPath: "/a/", query: "" }],
    ["/a?", { path: "/a", plainPath: "/a", query: "" }],
    ["/a?b=1?c", { path: "/a", plainPath: "/a", query: "b=1?c" }],
    ["/a%20b", { path: "/a%20b", plainPath: "/a b", query: "" }],
    ["/users/x%40y.example", { path: "/users/x%40y.example", plainPath: "/users/x@y.example", query: "" }],
    ["/%C3%A9", { path: "/%C3%A9", plainPath: "/é", query: "" }],
    ["/100%25", { path: "/100%25", plainPath: "/100%", query: "" }],
    ["/.well-known/x", { path: "/.well-known/x", plainPath: "/.well-known/x", query: "" }],
    ["/...", { path: "/...", plainPath: "/...", query: "" }],
    ["/a..b/.c/d.", { path: "/a..b/.c/d.", plainPath: "/a..b/.c/d.", query: "" }],
    ["/v1/models:predict", { path: "/v1/models:predict", plainPath: "/v1/models:predict", query: "" }],
    [
      "/a?next=https%3A%2F%2Fx.example%2F..%2F;a//b",
      { path: "/a", plainPath: "/a", query: "next=https%3A%2F%2Fx.example%2F..%2F;a//b" },
    ],
  ])("reads %j", (target, expected) => {
    expect(readTarget(target)).toEqual(expected);
  });

  it("reads what it accepts exactly as the URL standard does", () => {
    const piece = fc.constantFrom(
      "/",
      "a",
      "A",
      ".",
      "..",
      "%2e",
      "%2F",
      "%20",
      "%41",
      "%25",
      "%c3%a9",
      ";",
      "?",
      "#",
      "\\",
      "@",
      "é",
      "%",
      "~",
      "{",
      " ",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const read = readTarget(`/${pieces.join("")}`);
        if (read === null) return;
        const url = new URL(`http://box.example/${pieces.join("")}`);
        expect(decodeURIComponent(url.pathname)).toBe(read.plainPath);
        expect(url.search.replace(/^\?/, "")).toBe(read.query.replaceAll("{", "{"));
        expect(url.host).toBe("box.example");
      }),
      { numRuns: 5000 },
    );
  });

  it("reads an accepted path the same way when it is decoded twice", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^(?:\/|[a-z.]|%[0-9a-f]{2}){1,10}$/), (text) => {
        const read = readTarget(`/${text}`);
        if (read === null || /%(?![0-9A-Fa-f]{2})/.test(read.plainPath)) return;
        expect(decodeURIComponent(read.plainPath)).toBe(read.plainPath);
      }),
      { numRuns: 5000 },
    );
  });

  it("has one spelling only for every path of plain characters", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9._~-]{1,8}$/), fc.nat(), (segment, pick) => {
        const at = pick % segment.length;
        const escaped = `%${segment.charCodeAt(at).toString(16)}`;
        expect(readTarget(`/${segment.slice(0, at)}${escaped}${segment.slice(at + 1)}`)).toBeNull();
      }),
    );
  });
});
