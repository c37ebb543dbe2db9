/** The bundle's format: what is written is read back, and nothing else is. */
import { canonicalJson, EncodingError, toBase64url, type JsonValue } from "@blindbox/encoding";
import { verifyRecorded } from "@blindbox/client";
import { beforeAll, describe, expect, test } from "vitest";
import { formatBundle, parseBundle, type Bundle } from "../src/exchange/bundle.ts";
import { hardwareExchange, type HardwareExchange } from "./hardware-exchange.ts";

let made: HardwareExchange;
let bundle: Bundle;
let text = "";

beforeAll(async () => {
  made = await hardwareExchange("nitro");
  const { release, require } = made.options;
  bundle = {
    url: "https://box.example:8443",
    time: 1_800_000_000,
    exchange: made.input,
    releases: release as readonly string[],
    manifest: "manifest" in require ? require.manifest : "",
  };
  text = formatBundle(bundle);
});

function members(): Record<string, JsonValue> {
  return JSON.parse(text) as Record<string, JsonValue>;
}

describe("a bundle", () => {
  test("is read back as it was, and is judged as the exchange was", async () => {
    expect(parseBundle(text)).toEqual(bundle);
    const [live, kept] = [made.input, parseBundle(text).exchange];
    expect(await verifyRecorded(kept, made.options)).toEqual(await verifyRecorded(live, made.options));
  });

  test("of a runtime without exporter says so, and is not taken for one with", () => {
    const unbound: Bundle = { ...bundle, exchange: { ...made.input, channel: { binding: "none" }, peerKey: null } };
    expect(parseBundle(formatBundle(unbound)).exchange).toMatchObject({ channel: { binding: "none" }, peerKey: null });
  });

  test("holds nothing but what the format names", () => {
    expect(Object.keys(members()).sort()).toEqual(
      ["document", "exporter", "manifest", "nonce", "releases", "time", "tls", "type", "url"].sort(),
    );
  });
});

describe("what is no bundle is refused with the field, and never a fault", () => {
  test("cut at every length", () => {
    for (let length = 0; length < text.length; length += 1) {
      expect(() => parseBundle(text.slice(0, length))).toThrow(EncodingError);
    }
  });

  test.each(["type", "url", "time", "document", "nonce", "exporter", "tls", "releases", "manifest"])(
    "%s missing, of another kind, or given beside an unknown one",
    (name) => {
      const { [name]: value, ...others } = members();
      expect(() => parseBundle(canonicalJson(others))).toThrow(EncodingError);
      // Any text may be a document here: what it is, the Verifier says.
      const texts = name === "document" ? [] : ["\u0000", "!"];
      for (const other of [true, -1, {}, [[]], ...texts]) {
        expect(() => parseBundle(canonicalJson({ ...others, [name]: other }))).toThrow(EncodingError);
      }
      expect(() => parseBundle(canonicalJson({ ...others, [name]: value ?? null, more: 1 }))).toThrow(EncodingError);
    },
  );

  test.each<[string, Record<string, JsonValue>]>([
    ["another version", { type: "blindbox-bundle/2" }],
    ["an exporter of zeros", { exporter: toBase64url(new Uint8Array(32)) }],
    ["a short exporter", { exporter: toBase64url(new Uint8Array(31).fill(1)) }],
    ["a short nonce", { nonce: toBase64url(new Uint8Array(31).fill(1)) }],
    ["an empty key", { tls: "" }],
    ["a URL with a password", { url: "https://user:secret@box.example" }],
    ["a URL with a path", { url: "https://box.example/path" }],
    ["a URL of another kind", { url: "http://box.example" }],
    ["a release that is none", { releases: ["{}"] }],
    ["65 releases", { releases: Array.from({ length: 65 }, () => "{}") }],
    ["a digest that is none", { manifest: "sha256:12" }],
    ["a fraction of a second", { time: "1.5" }],
  ])("%s", (_what, change) => {
    expect(() => parseBundle(canonicalJson({ ...members(), ...change }))).toThrow(EncodingError);
  });

  test("a member twice, or another order or white space: the text would have a second reading", () => {
    const doubled = text.replace('"type":', '"type":"blindbox-bundle/1","type":');
    for (const other of [doubled, `${text} `, `\ufeff${text}`, JSON.stringify(members(), null, 1)]) {
      expect(() => parseBundle(other)).toThrow(EncodingError);
    }
  });
});
