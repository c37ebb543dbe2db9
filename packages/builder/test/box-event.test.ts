import fc from "fast-check";
import { expect, test } from "vitest";
import { type BoxEvent, eventReader } from "../src/local/box-event.ts";

function read(chunks: readonly string[]): readonly BoxEvent[] {
  const events: BoxEvent[] = [];
  const take = eventReader((event) => void events.push(event));
  for (const chunk of chunks) take(chunk);
  return events;
}

const events: readonly BoxEvent[] = [
  { event: "listening", listen: "127.0.0.1:8443", driver: "rooted" },
  { event: "restart", count: 3, code: null, ready: false },
];
const text = events.map((event) => `${JSON.stringify(event)}\n`).join("");

test("events are read however their lines are cut", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), text.length];
      const chunks = places.slice(1).map((end, index) => text.slice(places[index], end));
      expect(read(chunks)).toEqual(events);
    }),
  );
});

test.each([
  "",
  "text",
  "[]",
  "7",
  "null",
  "{}",
  '{"event":1}',
  '{"event":"x","fact":{}}',
  '{"event":"x","fact":[1]}',
  '{"event":',
])("the line %j is no event and is passed over", (line) => {
  expect(read([`${line}\n${text}`])).toEqual(events);
});

test("a line without an end is not held for ever", () => {
  expect(read([...Array.from({ length: 40 }, () => "x".repeat(100_000)), `\n${text}`])).toEqual(events);
});

test("any text is read without an error", () => {
  fc.assert(fc.property(fc.array(fc.string()), (chunks) => void read(chunks)));
});
