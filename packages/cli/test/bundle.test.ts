/** The file of a kept exchange: what is written is read back, and nothing else is read. */
import { EncodingError } from "@blindbox/encoding";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatBundle, parseBundle, type Bundle } from "../src/exchange/bundle.ts";

const hash = `sha256:${"a".repeat(64)}`;
const runtime = { bundle: hash, node: hash, tee: "simulated", type: "blindbox-runtime/1", version: "0.1.0" };
const release = JSON.stringify({
  app: { image: hash },
  channel: "stable",
  manifest: hash,
  previous: null,
  product: "transcriber",
  referenceValues: [{ registers: { measurement: "07".repeat(48) }, tee: "simulated" }],
  runtime,
  sequence: 1,
  type: "blindbox-release/1",
  version: "1.0.0",
});
const bundle: Bundle = {
  url: "https://127.0.0.1:8443",
  time: 1_800_000_000,
  exchange: {
    document: '{"type":"blindbox-evidence/1"}',
    nonce: new Uint8Array(32).fill(1),
    channel: { binding: "tls-exporter", exporter: new Uint8Array(32).fill(2) },
    peerKey: { tlsSpki: new Uint8Array(91).fill(3) },
  },
  releases: [release],
  manifest: hash,
};
const text = formatBundle(bundle);

test("what was written is read back", () => {
  expect(parseBundle(text)).toEqual(bundle);
  const bare: Bundle = {
    ...bundle,
    exchange: { ...bundle.exchange, nonce: null, channel: { binding: "none" }, peerKey: null },
  };
  expect(parseBundle(formatBundle(bare))).toEqual(bare);
});

test("bytes of the document are kept as the text that they are", () => {
  const document = new TextEncoder().encode('{"x":"ü"}');
  expect(parseBundle(formatBundle({ ...bundle, exchange: { ...bundle.exchange, document } })).exchange.document).toBe(
    '{"x":"ü"}',
  );
});

test("cut at any length, it is none", () => {
  for (let length = 0; length < text.length; length += 1) {
    expect(() => parseBundle(text.slice(0, length))).toThrow(EncodingError);
  }
});

test("each member must be there, be what it is, and stand alone", () => {
  const members = JSON.parse(text) as Record<string, unknown>;
  const written = (changed: object): string =>
    JSON.stringify(Object.fromEntries(Object.entries(changed).sort(([a], [b]) => (a < b ? -1 : 1))));
  for (const name of Object.keys(members)) {
    const { [name]: _left, ...others } = members;
    expect(() => parseBundle(written(others)), name).toThrow(EncodingError);
    for (const value of [7.5, true, {}, ""]) {
      if (name === "document" || name === "url" || name === "manifest") continue;
      expect(() => parseBundle(written({ ...members, [name]: value })), name).toThrow(EncodingError);
    }
  }
  expect(() => parseBundle(written({ ...members, more: 1 }))).toThrow(EncodingError);
  expect(() => parseBundle(written({ ...members, nonce: "AAAA" }))).toThrow(EncodingError);
  expect(() => parseBundle(written({ ...members, type: "blindbox-bundle/2" }))).toThrow(EncodingError);
  expect(() => parseBundle(written({ ...members, releases: ["{}"] }))).toThrow(EncodingError);
  expect(() => parseBundle(` ${text}`)).toThrow(EncodingError);
});

test("whatever text comes, it is read or refused by an EncodingError", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (other) => {
      try {
        parseBundle(other);
      } catch (error) {
        expect(error).toBeInstanceOf(EncodingError);
      }
    }),
  );
});
