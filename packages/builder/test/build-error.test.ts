import { expect, test } from "vitest";
import { BuildError, quoted } from "../src/build-error.ts";

test("a message gives field, expected, actual and the next step", () => {
  const error = new BuildError("bad-link", { field: "f", expected: "e", actual: "a", hint: "do this" });
  expect(error).toMatchObject({ code: "bad-link", field: "f", expected: "e", actual: "a", hint: "do this" });
  expect(error.message).toBe("f: expected e, found a; do this");
});

test.each([
  ["plain/ünï", '"plain/ünï"'],
  ["line\nbreak", '"line\\nbreak"'],
  ["\u001b[31mred", '"\\u001b[31mred"'],
  ["\u202egnp.exe", '"\\u{202e}gnp.exe"'],
  ["\u009b31m", '"\\u{9b}31m"'],
])("the name %j is shown as %s: it steers no terminal", (name, shown) => {
  expect(quoted(name)).toBe(shown);
});

test("a long name is cut", () => {
  expect(quoted("x".repeat(5000)).length).toBeLessThan(200);
});
