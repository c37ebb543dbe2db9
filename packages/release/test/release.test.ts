import { createHash } from "node:crypto";
import { EncodingError } from "@blindbox/encoding";
import {
  assessRelease,
  formatRelease,
  formatRuntime,
  parseRelease,
  referenceTuples,
  type Release,
  releaseDigest,
  runtimeDigest,
} from "@blindbox/release";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

const sha = (letter: string): string => `sha256:${letter.repeat(64)}`;

const RELEASE: Release = {
  type: "blindbox-release/1",
  product: "transcriber",
  channel: "stable",
  version: "1.4.0-rc.1+build",
  sequence: 7,
  runtime: { type: "blindbox-runtime/1", version: "0.1.0", tee: "simulated", bundle: sha("1"), node: sha("2") },
  app: { image: sha("3") },
  manifest: sha("4"),
  referenceValues: [
    { tee: "simulated", registers: { measurement: "ab".repeat(48) } },
    { tee: "simulated", registers: { measurement: "cd".repeat(48) } },
  ],
  previous: sha("5"),
};

const TEXT = formatRelease(RELEASE);

/** The canonical text with one text replaced by another. */
function changed(from: string, to: string): string {
  expect(TEXT).toContain(from);
  return TEXT.replace(from, to);
}

describe("a release", () => {
  it("comes back the same through its canonical text", () => {
    expect(parseRelease(TEXT)).toEqual(RELEASE);
    const first = { ...RELEASE, previous: null, sequence: 0 };
    expect(parseRelease(formatRelease(first))).toEqual(first);
  });

  it("has as its digest the SHA-256 of its text", async () => {
    expect(await releaseDigest(TEXT)).toBe(`sha256:${createHash("sha256").update(TEXT).digest("hex")}`);
  });

  it("has as its runtime digest the SHA-256 of the runtime's canonical text", async () => {
    const text = `{"bundle":"${sha("1")}","node":"${sha("2")}","tee":"simulated","type":"blindbox-runtime/1","version":"0.1.0"}`;
    expect(formatRuntime(RELEASE.runtime)).toBe(text);
    expect(TEXT).toContain(`"runtime":${text}`);
    expect(await runtimeDigest(RELEASE.runtime)).toBe(`sha256:${createHash("sha256").update(text).digest("hex")}`);
  });

  it("gives every tuple with the manifest and the runtime of this release", async () => {
    const shared = {
      manifest: sha("4"),
      runtime: await runtimeDigest(RELEASE.runtime),
      release: "transcriber/stable 1.4.0-rc.1+build (sequence 7)",
    };
    expect(await referenceTuples(RELEASE)).toEqual(RELEASE.referenceValues.map((tuple) => ({ ...tuple, ...shared })));
  });

  it("is never trusted in full, since nobody can sign it yet", () => {
    const [difference, ...others] = assessRelease(RELEASE);
    expect(others).toEqual([]);
    expect(difference).toMatchObject({ code: "unsigned", actual: "no signature" });
    expect(difference?.reason).toContain("not supported yet");
  });

  it.each<[string, string, string]>([
    ["another version of the document", changed("blindbox-release/1", "blindbox-release/2"), "type"],
    ["another version of the runtime", changed("blindbox-runtime/1", "blindbox-runtime/2"), "runtime.type"],
    ["an unknown TEE", changed('"tee":"simulated","type"', '"tee":"sgx","type"'), "runtime.tee"],
    [
      "a tuple of another TEE than the runtime's",
      changed('"tee":"simulated"}', '"tee":"sev-snp"}'),
      "referenceValues[0].tee",
    ],
    [
      "a simulated tuple for hardware",
      changed('"tee":"simulated","type"', '"tee":"sev-snp","type"'),
      "referenceValues[0].tee",
    ],
    ["no tuple", formatted({ referenceValues: [] }), "referenceValues"],
    ["no register", changed(`"measurement":"${"ab".repeat(48)}"`, ""), "referenceValues[0].registers"],
    ["a register in upper case", changed("abab", "ABab"), "referenceValues[0].registers.measurement"],
    ["half a byte", changed('"abab', '"bab'), "referenceValues[0].registers.measurement"],
    ["a register that is no string", changed(`"${"ab".repeat(48)}"`, "1"), "referenceValues[0].registers.measurement"],
    ["a product with capitals", changed('"transcriber"', '"Transcriber"'), "product"],
    ["a terminal escape in the version", changed('"1.4.0-rc.1+build"', '"1\\u001b[31m"'), "version"],
    ["an empty version", changed('"1.4.0-rc.1+build"', '""'), "version"],
    ["a negative sequence", changed('"sequence":7', '"sequence":-7'), "sequence"],
    ["a digest of another kind", changed(sha("3"), "sha512:00"), "app.image"],
    ["an upper-case digest", changed(sha("4"), `sha256:${"A".repeat(64)}`), "manifest"],
    ["a false previous", changed(`"previous":"${sha("5")}"`, '"previous":false'), "previous"],
  ])("is refused with %s", (_, text, field) => {
    expect(fieldOf(text)).toBe(field);
  });

  it.each<[string, string]>([
    ["an unknown member", changed('"product":', '"private":1,"product":')],
    ["a missing member", changed('"sequence":7,', "")],
    ["a missing previous", changed(`"previous":"${sha("5")}",`, "")],
    ["a space", changed('"sequence":7', '"sequence": 7')],
    ["a fraction", changed('"sequence":7', '"sequence":7.5')],
    ["a member twice", changed('"sequence":7', '"sequence":7,"sequence":7')],
    ["__proto__ as a register", changed('"measurement"', '"__proto__"')],
    ["nothing", ""],
    ["null", "null"],
    ["a list", "[]"],
  ])("is refused with %s", (_, text) => {
    expect(() => parseRelease(text)).toThrow(EncodingError);
  });

  it("is refused cut off anywhere", () => {
    for (let length = 0; length < TEXT.length; length++) {
      expect(() => parseRelease(TEXT.slice(0, length))).toThrow(EncodingError);
    }
  });

  it("is refused or says something else with any character changed", () => {
    fc.assert(
      fc.property(fc.nat(TEXT.length - 1), fc.integer({ min: 1, max: 127 }), (at, by) => {
        const text = TEXT.slice(0, at) + String.fromCharCode(TEXT.charCodeAt(at) ^ by) + TEXT.slice(at + 1);
        try {
          expect(parseRelease(text)).not.toEqual(RELEASE);
        } catch (error) {
          if (!(error instanceof EncodingError)) throw error;
        }
      }),
      { numRuns: 3000 },
    );
  });

  it("throws nothing but EncodingError, whatever the text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (text) => {
        expect(() => parseRelease(text)).toThrow(EncodingError);
      }),
    );
  });

  it("cannot be formatted where it is not valid", () => {
    expect(() => formatRelease({ ...RELEASE, product: "" })).toThrow(EncodingError);
    expect(() => formatRuntime({ ...RELEASE.runtime, node: "" })).toThrow(EncodingError);
  });
});

function formatted(change: Partial<Release>): string {
  const release = { ...RELEASE, ...change };
  const values = JSON.stringify(release.referenceValues);
  return TEXT.replace(/"referenceValues":\[.*?\],/, `"referenceValues":${values},`);
}

function fieldOf(text: string): string {
  try {
    parseRelease(text);
  } catch (error) {
    if (error instanceof EncodingError) return error.field;
    throw error;
  }
  return "accepted";
}
