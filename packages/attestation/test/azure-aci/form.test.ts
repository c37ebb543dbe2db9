/** One thing wrong with the form of an endorsement, signed all the same: it is refused before anything is verified. */
import { describe, expect, test } from "vitest";
import { array, byteString, map, negative, NULL, tagged, text, unsigned, type Entry } from "../cbor-bytes.ts";
import { leafUsage } from "../vendor.ts";
import { refusals } from "./endorse.ts";
import { FEED, MEASUREMENT, mintUvm, payloadWith, purposes, SIGNED_AT, type UvmChange } from "./vendor.ts";

type Row = readonly [string, UvmChange, readonly string[]];

function refused(rows: readonly Row[]): void {
  test.each(rows)("%s", async (_name, change, expected) => {
    expect(await refusals(change)).toEqual(expected);
  });
}

describe("the form", () => {
  const without = (key: Uint8Array): UvmChange => ({
    header: (entries) => entries.filter(([each]) => !Buffer.from(key).equals(each)),
  });
  const replaced = (key: Uint8Array, value: Uint8Array): UvmChange => ({
    header: (entries) => entries.map((entry): Entry => (Buffer.from(key).equals(entry[0]) ? [entry[0], value] : entry)),
  });
  const added = (...entry: Entry): UvmChange => ({ header: (entries) => [...entries, entry] });
  const bad = ["parse: bad-encoding"];
  const otherAlgorithm = ["parse: unsupported-algorithm"];
  refused([
    ...[-37, -39, -35, -257, -258].map(
      (id): Row => [`algorithm ${id}`, replaced(unsigned(1), negative(id)), otherAlgorithm],
    ),
    ["no algorithm", without(unsigned(1)), otherAlgorithm],
    ["an algorithm as a text", replaced(unsigned(1), text("PS384")), otherAlgorithm],
    ["another content type", { contentType: "application/octet-stream" }, bad],
    ["no content type", without(unsigned(3)), bad],
    ["no chain", without(unsigned(33)), bad],
    ["a chain of one certificate", replaced(unsigned(33), byteString(mintUvm().identities.signer.der)), bad],
    ["a chain of six", { chain: (chain) => [...chain, ...chain] }, bad],
    ["a certificate that is none", { chain: (chain) => chain.with(1, new Uint8Array(9)) }, ["parse: bad-certificate"]],
    [
      "a certificate that is cut",
      { chain: (chain) => chain.map((der) => der.subarray(0, -1)) },
      ["parse: bad-certificate"],
    ],
    [
      "purposes that are no list",
      { certificates: { signer: { extensions: [leafUsage, purposes()] } } },
      ["parse: bad-certificate"],
    ],
    ["no issuer", without(text("iss")), bad],
    ["an issuer with a control character", { issuer: "did:x509\u001b" }, bad],
    ["an issuer of 257 characters", { issuer: "d".repeat(257) }, bad],
    ["no feed", without(text("feed")), bad],
    ["an empty feed", { feed: "" }, bad],
    ["a feed with a space", { feed: "Test AMD" }, bad],
    ["a feed as bytes", replaced(text("feed"), byteString(Buffer.from(FEED))), bad],
    ["no time of signing", without(text("signingtime")), bad],
    ["a time of signing without its tag", replaced(text("signingtime"), unsigned(SIGNED_AT)), bad],
    ["a time of signing below zero", replaced(text("signingtime"), tagged(1, negative(-1))), bad],
    ["a time of signing as a text", replaced(text("signingtime"), tagged(0, text("2024-01-01T00:00:00Z"))), bad],
    [
      "a thumbprint of another certificate",
      replaced(unsigned(34), array(negative(-16), byteString(new Uint8Array(32)))),
      ["uvm-thumbprint: bad-chain"],
    ],
    ["a thumbprint by SHA-1", replaced(unsigned(34), array(negative(-14), byteString(new Uint8Array(20)))), bad],
    ["a thumbprint of 31 bytes", replaced(unsigned(34), array(negative(-16), byteString(new Uint8Array(31)))), bad],
    ["a critical parameter", added(unsigned(2), array(text("iss"))), bad],
    ["a parameter that nobody knows", added(text("svn"), unsigned(200)), bad],
    ["a second issuer", added(text("iss"), text("did:x509:0:other")), bad],
    ["an unprotected issuer", { unprotected: [[text("iss"), text("did")]] }, bad],
    ["an unprotected chain", { unprotected: [[unsigned(33), byteString(new Uint8Array(3))]] }, bad],
    [
      "no payload",
      {
        envelope: ([header, unprotected, , signature]) =>
          array(...[header, unprotected, NULL, signature].filter((item) => item !== undefined)),
      },
      bad,
    ],
    ["another tag", { envelope: (parts) => tagged(98, array(...parts)) }, bad],
    ["an array of three", { envelope: (parts) => array(...parts.slice(0, 3)) }, bad],
    [
      "bytes behind it",
      { envelope: (parts) => Buffer.concat([array(...parts), Uint8Array.of(0)]) },
      ["parse: trailing-bytes"],
    ],
    ["more than 64 KiB", { unprotected: [[text("timestamp"), byteString(new Uint8Array(66_000))]] }, bad],
    ["a header that is no map", { envelope: ([, ...rest]) => array(byteString(map([]).subarray(1)), ...rest) }, bad],
  ]);
  refused(
    Object.entries({
      "no JSON": "measurement",
      "a list": "[]",
      null: "null",
      "two members of one name": `{"x-ms-sevsnpvm-guestsvn":"1","x-ms-sevsnpvm-guestsvn":"104","x-ms-sevsnpvm-launchmeasurement":"${MEASUREMENT}"}`,
      "no security version": payloadWith({ "x-ms-sevsnpvm-guestsvn": undefined }),
      "a security version as a number": payloadWith({ "x-ms-sevsnpvm-guestsvn": 104 }),
      "a security version with a leading zero": payloadWith({ "x-ms-sevsnpvm-guestsvn": "0104" }),
      "a security version below zero": payloadWith({ "x-ms-sevsnpvm-guestsvn": "-1" }),
      "a security version with a space": payloadWith({ "x-ms-sevsnpvm-guestsvn": "104 " }),
      "an empty security version": payloadWith({ "x-ms-sevsnpvm-guestsvn": "" }),
      "a security version of sixteen digits": payloadWith({ "x-ms-sevsnpvm-guestsvn": "1000000000000000" }),
      "two security versions": payloadWith({ "x-ms-sevsnpvm-guestsvn-int": 103 }),
      "a second security version as a text": payloadWith({ "x-ms-sevsnpvm-guestsvn-int": "104" }),
      "no measurement": payloadWith({ "x-ms-sevsnpvm-launchmeasurement": undefined }),
      "a measurement in capitals": payloadWith({ "x-ms-sevsnpvm-launchmeasurement": MEASUREMENT.toUpperCase() }),
      "a measurement of 47 bytes": payloadWith({ "x-ms-sevsnpvm-launchmeasurement": MEASUREMENT.slice(2) }),
      "an empty measurement": payloadWith({ "x-ms-sevsnpvm-launchmeasurement": "" }),
      "something behind it": `${payloadWith({})} {}`,
    }).map(
      ([what, text]): Row => [
        `a payload that is or has ${what}`,
        { payload: text },
        what === "something behind it" ? ["parse: trailing-bytes"] : bad,
      ],
    ),
  );
});
