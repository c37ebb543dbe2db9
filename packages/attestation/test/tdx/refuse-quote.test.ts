/** Quotes with one thing wrong in their bytes or signatures: each is refused, and by the check that is meant to see it. */
import { describe, expect, test } from "vitest";
import { random, sha256 } from "../vendor.ts";
import { fakeTee, refusals, refusalsOf } from "./appraise.ts";
import { attestationKeys, chainBytes, hex, rawKeys, zeros } from "./quote.ts";
import { keys, mintEvidence, type IntelChange } from "./vendor.ts";

const unreadable: Readonly<Record<string, Readonly<Record<string, IntelChange>>>> = {
  "unsupported-version": {
    "version 3, as of SGX": { header: { version: 3 } },
    "version 6": { header: { version: 6 } },
    "version 0": { header: { version: 0 } },
  },
  "unsupported-key-type": {
    "a key on P-384": { header: { keyType: 3 } },
    "an EPID key": { header: { keyType: 0 } },
  },
  "wrong-tee-type": { "a quote of SGX": { header: { teeType: 0 } } },
  "wrong-qe-vendor": {
    "another vendor": { header: { vendor: random(16) } },
    "no vendor": { header: { vendor: zeros(16) } },
  },
  "reserved-not-zero": {
    "reserved bytes of the header": { header: { reserved: hex("00000001") } },
    "reserved bytes of the quoting enclave's report": { qe: { reserved: hex("010000000000000000000000") } },
  },
  "unsupported-format": {
    "a body of SGX": { form: "v5-1.0", bodyType: 1 },
    "a body of a type to come": { form: "v5-1.5", bodyType: 4 },
  },
  "bad-length": {
    "a body length of another type": { form: "v5-1.5", bodyLength: 584 },
    "a body length of zero": { form: "v5-1.0", bodyLength: 0 },
    "the largest body length": { form: "v5-1.0", bodyLength: 0xffff_ffff },
    "64 MiB": { quote: () => new Uint8Array(64 * 1024 * 1024) },
  },
  "unsupported-cert-type": {
    "outer type 5": { outerType: 5 },
    "an outer type of SGX": { outerType: 1 },
    "type 6 inside type 6": { innerType: 6 },
    "an inner type of PPID": { innerType: 3 },
  },
  truncated: {
    nothing: { quote: () => new Uint8Array() },
    "a signature length of one more": { signatureDataLength: (right) => right + 1 },
    "the largest signature length": { signatureDataLength: () => 0xffff_ffff },
    "an outer length of one more": { outerLength: (right) => right + 1 },
    "an inner length of one more": { innerLength: (right) => right + 1 },
    "the largest length of the authentication data": { authLength: () => 0xffff },
  },
  "trailing-bytes": {
    "a signature length of one less": { signatureDataLength: (right) => right - 1 },
    "a signature length of zero": { signatureDataLength: () => 0 },
    "a zero byte behind the end": { quote: (right) => Buffer.concat([right, zeros(1)]) },
    "zero bytes up to 8000": { quote: (right) => Buffer.concat([right, zeros(8000 - right.length)]) },
    "text behind the end": { quote: (right) => Buffer.concat([right, Buffer.from("unsigned")]) },
    "an outer length of one less": { outerLength: (right) => right - 1, signatureDataLength: (right) => right },
    "an inner length of one less": { innerLength: (right) => right - 1 },
  },
  "bad-certificate": {
    "no text where the chain is due": { chain: () => random(2000) },
    "text around the chain": { chain: (...ders) => Buffer.concat([Buffer.from("x\n"), chainBytes(...ders)]) },
    "two zero bytes behind the chain": { chain: (...ders) => Buffer.concat([chainBytes(...ders), zeros(2)]) },
    "DER where PEM is due": { chain: (leaf, intermediate, root) => Buffer.concat([leaf, intermediate, root]) },
    "a certificate that is cut short": {
      chain: (leaf, ...others) => chainBytes(leaf.subarray(0, -1), ...others),
    },
    "a chain in reverse order": { chain: (leaf, intermediate, root) => chainBytes(root, intermediate, leaf) },
    "an empty chain": { chain: () => new Uint8Array() },
  },
  "bad-chain": {
    "two certificates": { chain: (leaf, intermediate) => chainBytes(leaf, intermediate) },
    "the root alone": { chain: (_leaf, _intermediate, root) => chainBytes(root) },
    "the root twice": { chain: (leaf, intermediate, root) => chainBytes(leaf, intermediate, root, root) },
    "the leaf twice": { chain: (leaf, intermediate, root) => chainBytes(leaf, leaf, intermediate, root) },
  },
};

describe.each(Object.entries(unreadable))("unreadable: %s", (code, changes) => {
  test.each(Object.entries(changes))("%s", async (_name, change) => {
    expect(await refusals(change)).toEqual([`parse: ${code}`]);
  });
});

const signatureDataStart = 48 + 584 + 4;
const order = Buffer.from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", "hex");
const halves = (raw: Uint8Array): [Uint8Array, Uint8Array] => [raw.slice(0, 32), raw.slice(32)];
const reversed = (raw: Uint8Array): Uint8Array => Buffer.concat(halves(raw).map((half) => half.toReversed()));

const badSignatures: Readonly<Record<string, (right: Uint8Array) => Uint8Array>> = {
  "another signature": () => random(64),
  "r zero": (right) => Buffer.concat([zeros(32), halves(right)[1]]),
  "s zero": (right) => Buffer.concat([halves(right)[0], zeros(32)]),
  "r as large as the order": (right) => Buffer.concat([order, halves(right)[1]]),
  "s as large as the order": (right) => Buffer.concat([halves(right)[0], order]),
  "r and s swapped": (right) => Buffer.concat(halves(right).toReversed()),
  "both halves little-endian": reversed,
  "all zero": () => zeros(64),
  "all ones": () => new Uint8Array(64).fill(0xff),
};

describe.each(Object.entries(badSignatures))("a signature that is wrong: %s", (_name, signature) => {
  test("of the quote", async () => {
    expect(await refusals({ signature })).toEqual(["evidence-signature: bad-signature"]);
  });

  test("of the quoting enclave's report", async () => {
    expect(await refusals({ qeSignature: signature })).toEqual(["qe-report-signature: bad-qe-signature"]);
  });
});

const auth = hex("0102030405");
const bound = (...parts: readonly Uint8Array[]): Uint8Array => sha256(Buffer.concat(parts));
const key = attestationKeys.raw;

/** Report data of the quoting enclave that do not bind the key, each nearly right. */
const badBindings: Readonly<Record<string, Uint8Array>> = {
  "a byte set behind the digest": Buffer.concat([bound(key, auth), zeros(31), Uint8Array.of(1)]),
  "the digest in the upper half": Buffer.concat([zeros(32), bound(key, auth)]),
  "the digest of the key alone": Buffer.concat([bound(key), zeros(32)]),
  "the digest of both in the other order": Buffer.concat([bound(auth, key), zeros(32)]),
  "the digest of other authentication data": Buffer.concat([bound(key, hex("0102030406")), zeros(32)]),
  "the digest of the key in little-endian order": Buffer.concat([bound(reversed(key), auth), zeros(32)]),
  nothing: zeros(64),
};

test.each(Object.entries(badBindings))("an attestation key that nobody vouches for: %s", async (_name, reportData) => {
  expect(await refusals({ authData: auth, qe: { reportData } })).toEqual(["attestation-key: bad-ak-binding"]);
});

test("bytes moved from the key to the authentication data are seen, though their digest is the same", async () => {
  const moved = (bytes: Uint8Array): Uint8Array => {
    const at = signatureDataStart;
    const [head, signature, rest] = [bytes.slice(0, at), bytes.slice(at, at + 64), bytes.slice(at + 65)];
    return Buffer.concat([head, signature, rest]);
  };
  expect((await refusals({ quote: moved }))[0]).toMatch(/^parse: /);
});

test("a key of somebody else's, with the quote signed by it, is bound by nobody", async () => {
  const foreign = rawKeys();
  const reportData = Buffer.concat([bound(key, auth), zeros(32)]);
  expect(await refusals({ attestation: foreign, authData: auth, qe: { reportData } })).toEqual([
    "attestation-key: bad-ak-binding",
  ]);
});

test("a key that is no point of the curve verifies nothing", async () => {
  expect(await refusals({ attestationKey: new Uint8Array(64).fill(1) })).toEqual(["evidence-signature: bad-signature"]);
  expect(await refusals({ attestationKey: zeros(64) })).toEqual(["evidence-signature: bad-signature"]);
});

test("a quoting enclave's report of another platform is not this one's", async () => {
  const other = mintEvidence({ pck: { keys: keys.other } });
  expect(await refusalsOf(fakeTee, other.bytes, other.endorsements)).toEqual(["qe-report-signature: bad-qe-signature"]);
});

test("every bit of the header and body is signed", async () => {
  const { bytes, endorsements } = mintEvidence({ form: "v5-1.5" });
  const signed = 48 + 6 + 648;
  for (let at = 28; at < signed; at += 7) {
    const flipped = bytes.with(at, (bytes[at] ?? 0) ^ (1 << (at % 8)));
    const [first = "accepted"] = await refusalsOf(fakeTee, flipped, endorsements);
    expect(first).toMatch(/^(evidence-signature: bad-signature|parse: )/);
  }
});
