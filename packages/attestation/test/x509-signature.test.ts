/** Signatures: one form each, on one pair of curve and hash. */
import { sign } from "node:crypto";
import { expect, test } from "vitest";
import {
  ecdsaP256,
  ecdsaP384,
  parseCertificate,
  rememberSignatures,
  verifyDerSignature,
  verifyRawSignature,
} from "../src/x509/index.ts";
import type { PublicKey } from "../src/x509/index.ts";
import { integer, name, sequence } from "./der.ts";
import { certificate, curveKeys, random, type CurveKeys, type CurveName } from "./vendor.ts";

const message = random(100);
const hashes = { "P-256": "sha256", "P-384": "sha384" } as const;
const algorithms = { "P-256": ecdsaP256, "P-384": ecdsaP384 } as const;

function publicKey(keys: CurveKeys): PublicKey {
  const subject = name("Signer");
  return parseCertificate(certificate({ subject, keys, issuer: { subject, keys } }), "certificate").key;
}

function rawSignature({ privateKey, curve }: CurveKeys): Buffer {
  return sign(hashes[curve], message, { key: privateKey, dsaEncoding: "ieee-p1363" });
}

function derOf(r: Buffer, s: Buffer): Uint8Array {
  return sequence(integer(r.toString("hex")), integer(s.toString("hex")));
}

test.each(["P-256", "P-384"] as const)("a signature on %s is verified in both forms", async (curve: CurveName) => {
  const keys = curveKeys(curve);
  const key = publicKey(keys);
  const raw = rawSignature(keys);
  const half = raw.length / 2;
  const der = derOf(raw.subarray(0, half), raw.subarray(half));
  expect(await verifyRawSignature(algorithms[curve], key, raw, message)).toBe(true);
  expect(await verifyDerSignature(algorithms[curve], key, der, message)).toBe(true);
  expect(await verifyRawSignature(algorithms[curve], key, raw, random(100))).toBe(false);
  expect(await verifyDerSignature(algorithms[curve], key, der, random(100))).toBe(false);
});

test("a DER signature in another form than the shortest is a wrong one", async () => {
  const keys = curveKeys("P-384");
  const key = publicKey(keys);
  const raw = rawSignature(keys);
  const [r, s] = [raw.subarray(0, 48), raw.subarray(48)];
  const padded = Buffer.concat([Buffer.of(2, 50, 0, 0), r]);
  const right = derOf(r, s);
  const wrong: Readonly<Record<string, Uint8Array>> = {
    "padded r": sequence(padded, integer(s.toString("hex"))),
    "a third integer": sequence(integer(r.toString("hex")), integer(s.toString("hex")), integer(1)),
    "no s": sequence(integer(r.toString("hex"))),
    "a byte behind it": Buffer.concat([right, Buffer.of(0)]),
    "r and s in the other order": derOf(s, r),
    "r of 49 bytes": sequence(integer(`7f${r.toString("hex")}`), integer(s.toString("hex"))),
    "r below zero": sequence(Buffer.of(2, 1, 0xff), integer(s.toString("hex"))),
    zeros: sequence(integer(0), integer(0)),
    nothing: new Uint8Array(),
    raw,
  };
  expect(await verifyDerSignature(ecdsaP384, key, right, message)).toBe(true);
  for (const [form, signature] of Object.entries(wrong)) {
    expect([form, await verifyDerSignature(ecdsaP384, key, signature, message)]).toEqual([form, false]);
  }
});

test("a raw signature of zeros, of another length, or for another curve is a wrong one", async () => {
  const keys = curveKeys("P-384");
  const key = publicKey(keys);
  const raw = rawSignature(keys);
  const order = "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973";
  const wrong = [
    new Uint8Array(96),
    new Uint8Array(0),
    raw.subarray(0, 95),
    Buffer.concat([raw, Buffer.of(0)]),
    Buffer.concat([raw.subarray(0, 48), Buffer.alloc(48)]),
    Buffer.from(order + order, "hex"),
  ];
  for (const signature of wrong) expect(await verifyRawSignature(ecdsaP384, key, signature, message)).toBe(false);
  expect(await verifyRawSignature(ecdsaP256, key, raw, message)).toBe(false);
  expect(await verifyRawSignature(ecdsaP384, publicKey(curveKeys("P-256")), raw, message)).toBe(false);
});

test("a key whose point is not on the curve signs nothing", async () => {
  const keys = curveKeys("P-384");
  const key = publicKey(keys);
  if (key.kind !== "ec") throw new Error("an EC key was minted");
  const off = { ...key, point: key.point.with(96, (key.point[96] ?? 0) ^ 1) };
  expect(await verifyRawSignature(ecdsaP384, off, rawSignature(keys), message)).toBe(false);
  expect(await rememberSignatures()(ecdsaP384, off, derSignature(keys, message), message)).toBe(false);
});

function derSignature(keys: CurveKeys, over: Uint8Array): Uint8Array {
  return sign(hashes[keys.curve], over, { key: keys.privateKey, dsaEncoding: "der" });
}

test("a remembered signature is no other signature's, key's, algorithm's or message's", async () => {
  const keys = curveKeys("P-384");
  const key = publicKey(keys);
  const signature = derSignature(keys, message);
  const check = rememberSignatures();
  for (const _round of [1, 2, 3]) {
    expect(await check(ecdsaP384, key, signature, message)).toBe(true);
    for (const at of message.keys()) {
      const other = message.slice();
      other[at] = (other[at] ?? 0) ^ 1;
      expect(await check(ecdsaP384, key, signature, other)).toBe(false);
    }
    expect(await check(ecdsaP384, publicKey(curveKeys("P-384")), signature, message)).toBe(false);
    expect(await check(ecdsaP256, key, signature, message)).toBe(false);
    expect(await check(ecdsaP384, key, derSignature(keys, random(100)), message)).toBe(false);
  }
});

test("no byte moves between signature and message without being noticed", async () => {
  const keys = curveKeys("P-384");
  const key = publicKey(keys);
  const signature = derSignature(keys, message);
  const check = rememberSignatures();
  expect(await check(ecdsaP384, key, signature, message)).toBe(true);
  const moved = new Uint8Array([...signature, ...message.subarray(0, 1)]);
  expect(await check(ecdsaP384, key, moved, message.subarray(1))).toBe(false);
});

test("many other signatures push the first one out, and it is verified anew", async () => {
  const keys = curveKeys("P-256");
  const key = publicKey(keys);
  const check = rememberSignatures();
  const signature = derSignature(keys, message);
  expect(await check(ecdsaP256, key, signature, message)).toBe(true);
  for (let round = 0; round < 300; round += 1) {
    const other = random(32);
    expect(await check(ecdsaP256, key, derSignature(keys, other), other)).toBe(true);
  }
  expect(await check(ecdsaP256, key, signature, message)).toBe(true);
  expect(await check(ecdsaP256, key, signature, random(100))).toBe(false);
});
