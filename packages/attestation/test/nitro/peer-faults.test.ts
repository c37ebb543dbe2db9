/** Faults that verifiers of others had with Nitro's documents, each by the name under which it is known. */
import { describe, expect, test } from "vitest";
import { createVerifier, nitro, strictPolicy, type ReferenceValues } from "@blindbox/attestation";
import { failedChecks } from "../box.ts";
import { curveKeys, NOW } from "../vendor.ts";
import { asked, fakeTee, refusals, refusalsOf } from "./appraise.ts";
import { map, negative, text, unsigned } from "../cbor-bytes.ts";
import { nitroReference, verifyNitro } from "./exchange.ts";
import { envelope, mintAws, pcrsWith, RANKS, type AwsChange } from "./vendor.ts";

const zero = new Uint8Array(48);
const debug = pcrsWith({ 0: zero, 1: zero, 2: zero });

function without(name: string): AwsChange {
  return { members: (members) => members.filter(([key]) => !Buffer.from(text(name)).equals(key)) };
}

describe("base/base#4042: enclaves in debug mode were accepted", () => {
  test("PCRs that are all zero are refused, though the chain and the signature are right", async () => {
    expect(await refusals({ pcrs: debug })).toEqual(["debug: debug-enabled"]);
  });

  test("Reference Values of zeros do not make it a release", async () => {
    const registers = Object.fromEntries(["pcr0", "pcr1", "pcr2"].map((name) => [name, "00".repeat(48)]));
    const result = await verifyNitro({
      aws: { pcrs: debug },
      change: { referenceValues: [{ ...nitroReference, registers }] },
    });
    expect([result.status, failedChecks(result)]).toEqual(["contraindicated", ["debug"]]);
  });
});

describe("worldcoin/world-chain#956: the root was read from the wrong end of the bundle", () => {
  test("a chain whose last certificate is the pinned root is refused", async () => {
    const found = await refusals({ cabundle: (bundle) => bundle.toReversed() });
    expect(found[0]).toBe("pinned-root: untrusted-root");
  });

  test("the leaf's issuer is the last of the bundle, not the first", async () => {
    const { root } = mintAws().identities;
    const found = await refusals({ certificates: { enclave: { issuer: root } } });
    expect(found).toEqual(["certificate-issuer enclave: bad-chain", "certificate-signature enclave: bad-chain"]);
  });
});

describe("worldcoin/world-chain#698: nothing was verified at all", () => {
  test("a document that anybody signed is refused", async () => {
    expect(await refusals({ signer: curveKeys("P-384") })).toEqual(["evidence-signature: bad-signature"]);
  });

  test("a chain that anybody made is refused", async () => {
    const own = Object.fromEntries(RANKS.map((rank) => [rank, { keys: curveKeys("P-384") }]));
    expect(await refusals({ certificates: own })).toEqual(["pinned-root: untrusted-root"]);
  });
});

describe("worldcoin/world-chain#1049: without a certificate the signature was not looked at", () => {
  test.each(["certificate", "cabundle"])("a document without its member %s is refused", async (name) => {
    expect(await refusals({ ...without(name), signature: () => new Uint8Array(96) })).toEqual([
      "parse: missing-endorsement",
    ]);
  });

  test("a document whose certificate is empty or null is refused", async () => {
    expect(await refusals({ certificate: () => new Uint8Array() })).toEqual(["parse: bad-encoding"]);
    expect(await refusals({ cabundle: () => [] })).toEqual(["parse: missing-endorsement"]);
  });
});

describe("reclaimprotocol/attestor-core#52: the comparison of PCRs was switched off", () => {
  test.each([0, 1, 2])("PCR%i of another image is refused", async (index) => {
    const result = await verifyNitro({ aws: { pcrs: pcrsWith({ [index]: new Uint8Array(48).fill(0xaa) }) } });
    expect([result.status, failedChecks(result)]).toEqual(["contraindicated", ["reference-values"]]);
  });
});

describe("@0xsequence/tee-verifier: three checks that were not made", () => {
  test("an answer without a document is a refusal, not a pass with a line on the console", async () => {
    for (const evidence of [new Uint8Array(), Uint8Array.of(0xf6), Uint8Array.of(0x80)]) {
      const result = await verifyNitro({ document: (right) => ({ ...right, evidence }) });
      expect([result.status, failedChecks(result)]).toEqual(["contraindicated", ["evidence-form"]]);
    }
    const verifier = createVerifier({
      tees: [fakeTee()],
      referenceValues: [nitroReference],
      policy: strictPolicy,
      now: () => new Date(NOW * 1000),
    });
    const nothing = { document: "", nonce: new Uint8Array(32), channel: { binding: "none" }, peerKey: null } as const;
    expect((await verifier.verify(nothing)).status).toBe("contraindicated");
  });

  test("the algorithm that COSE's header names is not ignored", async () => {
    for (const algorithm of [-7, -36]) {
      expect(await refusals({ header: map([[unsigned(1), negative(algorithm)]]) })).toEqual([
        "parse: unsupported-algorithm",
      ]);
    }
    expect(await refusals({ header: map([]) })).toEqual(["parse: unsupported-algorithm"]);
  });

  test("debug mode is looked for", async () => {
    expect(await refusals({ pcrs: debug })).toContain("debug: debug-enabled");
  });
});

describe("evervault/attestation-doc-validation: what nobody demanded was not compared", () => {
  const referenceValues = (change: Partial<ReferenceValues>) => ({
    change: { referenceValues: [{ ...nitroReference, ...change }] },
  });

  test("expected PCRs cannot be left out", async () => {
    const { pcr2: _gone, ...two } = nitroReference.registers;
    for (const registers of [{}, two]) {
      await expect(verifyNitro(referenceValues({ registers }))).rejects.toThrow(TypeError);
    }
    await expect(verifyNitro({ change: { referenceValues: [] } })).rejects.toThrow(TypeError);
  });

  test.each([0, 1, 2])("a document without PCR%i is refused", async (index) => {
    const pcrs = new Map([...pcrsWith({})].filter(([at]) => at !== index));
    expect(await refusals({ pcrs })).toEqual(["parse: bad-encoding"]);
  });

  test("its own valid document of 2023 is of a debug enclave", async () => {
    expect(await refusals({ pcrs: new Map([...debug, [3, new Uint8Array(48).fill(3)]]) })).toEqual([
      "debug: debug-enabled",
    ]);
  });
});

test("marlinprotocol: a document under a root of its maker's own is refused by the product", async () => {
  expect(await refusalsOf(mintAws().bytes, asked({ tee: nitro() }))).toEqual(["pinned-root: untrusted-root"]);
});

test("hf/nitrite: nothing that a caller has to remember to look at is left to it", async () => {
  const { bytes } = mintAws({ nonce: new Uint8Array(32), pcrs: debug, envelope });
  expect(await refusalsOf(bytes)).toEqual(["debug: debug-enabled", "document-nonce: nonce-mismatch"]);
});
