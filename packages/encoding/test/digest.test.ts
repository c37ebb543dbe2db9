import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { digest, formatSha256, fromHex, parseSha256, toHex, utf8 } from "../src/index.ts";
import { refusal, refusalCode } from "./refusal.ts";

/** FIPS 180-4 examples for "abc". */
const abc = {
  "SHA-256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  "SHA-384": "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
  "SHA-512":
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
} as const;

test.each(["SHA-256", "SHA-384", "SHA-512"] as const)("%s of abc is that of FIPS 180-4", async (name) => {
  expect(toHex(await digest(name, utf8("abc")))).toBe(abc[name]);
});

test("hashes the view that it is given, not the memory behind it", async () => {
  const memory = utf8("xxabcxx");
  expect(toHex(await digest("SHA-256", memory.subarray(2, 5)))).toBe(abc["SHA-256"]);
});

test("the text of a digest is read back", async () => {
  const hash = await digest("SHA-256", utf8("abc"));
  expect(formatSha256(hash)).toBe(`sha256:${createHash("sha256").update("abc").digest("hex")}`);
  expect(parseSha256(formatSha256(hash))).toEqual(hash);
});

test.each([
  "",
  "sha256:",
  abc["SHA-256"],
  `SHA256:${abc["SHA-256"]}`,
  `sha256:${abc["SHA-256"].toUpperCase()}`,
  `sha256:${abc["SHA-256"].slice(2)}`,
  `sha256:${abc["SHA-256"]}00`,
  ` sha256:${abc["SHA-256"].slice(1)}`,
  `sha512:${abc["SHA-256"]}`,
  `sha256:${abc["SHA-256"].slice(1)}\n`,
])("refuses %j", (text) => {
  const error = refusal(() => parseSha256(text, "release.previous"));
  expect([error.code, error.field]).toEqual(["bad-encoding", "release.previous"]);
});

test("writes no digest of another length", () => {
  for (const length of [0, 31, 33, 48])
    expect(refusalCode(() => formatSha256(new Uint8Array(length)))).toBe("bad-encoding");
  expect(formatSha256(fromHex("00".repeat(32)))).toBe(`sha256:${"0".repeat(64)}`);
});
