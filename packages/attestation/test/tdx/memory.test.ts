/** What is remembered of texts: each read once, none too long, not more than sixteen. */
import { EncodingError } from "@blindbox/encoding";
import { expect, test } from "vitest";
import { rememberReading } from "../../src/tdx/memory.ts";

function counted(): { readonly read: (text: string) => string; readonly reads: string[] } {
  const reads: string[] = [];
  const read = rememberReading((text) => {
    reads.push(text);
    if (text === "bad") throw new EncodingError("bad-encoding", "text", "good", "bad");
    return text.toUpperCase();
  });
  return { read, reads };
}

test("a text is read once, and another one is never taken for it", () => {
  const { read, reads } = counted();
  expect([read("a"), read("a"), read("b"), read("a")]).toEqual(["A", "A", "B", "A"]);
  expect(reads).toEqual(["a", "b"]);
});

test("what is refused is refused each time", () => {
  const { read, reads } = counted();
  expect(() => read("bad")).toThrow(EncodingError);
  expect(() => read("bad")).toThrow(EncodingError);
  expect(reads).toHaveLength(2);
});

test("the seventeenth makes the first forgotten, and no other", () => {
  const { read, reads } = counted();
  const texts = Array.from({ length: 17 }, (_, at) => `text ${at}`);
  for (const text of texts) read(text);
  for (const text of texts.slice(1)) read(text);
  expect(reads).toHaveLength(17);
  read("text 0");
  expect(reads).toHaveLength(18);
});

test("a text of more than 64 Ki characters is read each time", () => {
  const { read, reads } = counted();
  for (const length of [64 * 1024, 64 * 1024, 64 * 1024 + 1, 64 * 1024 + 1]) read("x".repeat(length));
  expect(reads.map((text) => text.length - 64 * 1024)).toEqual([0, 1, 1]);
});
