import { generateKeyPairSync } from "node:crypto";
import { fittingAlgorithms, jwkThumbprint, keysLocation, publishedKeys } from "@blindbox/manifest";
import { describe, expect, it } from "vitest";

function pairOf(kind: "P-256" | "P-384" | "P-521" | "ed25519" | "rsa"): { open: object; whole: object } {
  const { publicKey, privateKey } =
    kind === "rsa"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : kind === "ed25519"
        ? generateKeyPairSync("ed25519")
        : generateKeyPairSync("ec", { namedCurve: kind });
  return { open: publicKey.export({ format: "jwk" }), whole: privateKey.export({ format: "jwk" }) };
}

const kinds = ["P-256", "P-384", "P-521", "ed25519", "rsa"] as const;
const { open } = pairOf("P-256");

describe("a published set", () => {
  it.each(kinds)("gives its public keys: %s", (kind) => {
    const key = { ...pairOf(kind).open, kid: "a/b=", use: "sig" };
    expect(publishedKeys({ keys: [key] })).toEqual([key]);
  });

  it("may say more of itself and its keys, which is left out", () => {
    const more = { ...open, x5c: ["AAAA"], x5t: "x", issuer: "https://x", exp: 1, nested: { d: 1 } };
    expect(publishedKeys({ keys: [more], url: "https://x" })).toEqual([open]);
  });

  it.each(kinds)("gives no key whose private half it shows: %s", (kind) => {
    expect(publishedKeys({ keys: [pairOf(kind).whole, open] })).toEqual([open]);
  });

  it.each(["d", "p", "q", "dp", "dq", "qi", "oth", "k"])("gives no key with the member %s, whatever it is", (name) => {
    for (const value of ["AAAA", "", null, 0, [], undefined]) {
      expect(publishedKeys({ keys: [{ ...open, [name]: value }] })).toEqual([]);
    }
  });

  it.each<[string, unknown]>([
    ["symmetric", { kty: "oct", k: "AAAA" }],
    ["symmetric by name alone", { ...open, kty: "oct" }],
    ["on another curve", { ...open, crv: "secp256k1" }],
    ["for agreement", { kty: "OKP", crv: "X25519", x: "A".repeat(43) }],
    ["for encryption", { ...open, use: "enc" }],
    ["for more than to verify", { ...open, key_ops: ["verify", "sign"] }],
    ["short", { ...pairOf("rsa").open, n: "A".repeat(171) }],
    ["of an exponent of its own", { ...pairOf("rsa").open, e: "Aw" }],
    ["of two kinds", { ...open, n: "A".repeat(342) }],
    ["in other letters", { ...open, x: `${"A".repeat(42)}=` }],
    ["named by a number", { ...open, kid: 1 }],
    ["a list", [open]],
    ["null", null],
    ["text", JSON.stringify(open)],
  ])("gives none that is %s", (_, key) => {
    expect(publishedKeys({ keys: [key, open] })).toEqual([open]);
  });

  it.each([null, [], [open], open, {}, { keys: null }, { keys: {} }, { keys: { 0: open, length: 1 } }, "keys", 1])(
    "is not %j",
    (value) => {
      expect(publishedKeys(value)).toBeNull();
    },
  );

  it("is read from objects that inherit nothing, as our JSON reader makes them", () => {
    const bare = (of: object): object => Object.assign(Object.create(null) as object, of);
    expect(publishedKeys(bare({ keys: [bare(open)] }))).toEqual([open]);
    expect(publishedKeys(Object.create({ keys: [open] }))).toBeNull();
  });

  it("says of its keys what they can sign with, and names them as RFC 7638 does", async () => {
    // Section 3.1's example.
    const n =
      "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs" +
      "tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbIS" +
      "D08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    const [key] = publishedKeys({ keys: [{ kty: "RSA", n, e: "AQAB", alg: "RS256", kid: "2011-04-29" }] }) ?? [];
    expect(await jwkThumbprint(key ?? {})).toBe("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    expect(fittingAlgorithms(key ?? {})).toEqual(["RS256"]);
    expect(fittingAlgorithms({ ...key, alg: "RSA-OAEP" })).toEqual([]);
  });
});

describe("the URL of a set", () => {
  it.each([
    ["https://idp.example/keys", { name: "idp.example", port: 443, target: "/keys" }],
    ["https://idp.example:8443/a?b=c", { name: "idp.example", port: 8443, target: "/a?b=c" }],
  ])("%s leads there", (url, location) => {
    expect(keysLocation(url)).toEqual(location);
  });

  it.each([
    "http://idp.example/",
    "https://idp.example",
    "https://a@idp.example/",
    "https://10.0.0.1/",
    "https://IDP.example/",
    "",
  ])("%s leads nowhere", (url) => {
    expect(keysLocation(url)).toBeNull();
  });
});
