/** What is right is accepted, in every form that it has. */
import { describe, expect, test } from "vitest";
import { nitro, strictPolicy } from "@blindbox/attestation";
import { asked, fakeTee, findingsOf, policyWith, refusals, refusalsOf } from "./appraise.ts";
import { tagged } from "../cbor-bytes.ts";
import { envelope, mintAws, pcrsWith, RANKS, rightFields, VALIDITY } from "./vendor.ts";
import { nitroUnder } from "../../src/nitro/tee.ts";
import { NOW, sha256 } from "../vendor.ts";

test("a document of the fake AWS passes every check under the strict policy", async () => {
  expect(await refusals()).toEqual([]);
});

test("every check that the TEE requires is made, and no other", async () => {
  const checks = new Set((await findingsOf(mintAws().bytes)).map(({ check }) => check));
  expect([...checks].sort()).toEqual([...fakeTee().requiredChecks, "debug", "evidence-signature"].sort());
});

test("the product's own root is AWS's: the fake one is not trusted", async () => {
  expect(await refusals({}, { tee: nitro() })).toEqual(["pinned-root: untrusted-root"]);
});

describe("of the forms that a document may have", () => {
  test.each([
    ["with a map of definite length", { definite: true }],
    ["behind COSE's tag", { envelope: (parts) => tagged(18, envelope(parts)) }],
    ["with 32 PCRs", { pcrs: pcrsWith(Object.fromEntries(Array.from({ length: 32 }, (_, at) => [at, full(at + 1)]))) }],
    ["with three PCRs", { pcrs: new Map([0, 1, 2].map((at) => [at, full(at + 1)])) }],
    ["with empty user data", { userData: new Uint8Array() }],
    ["with 1024 bytes of user data", { userData: new Uint8Array(1024) }],
    ["with no user data", { userData: null }],
    ["with its members in another order", { members: (members) => members.toReversed() }],
    ["without the members that AWS calls optional", { members: (members) => members.slice(0, 6) }],
    [
      "with a chain of two",
      { cabundle: ([root]) => [root ?? full(0)], certificates: { enclave: { issuer: rootIssuer() } } },
    ],
  ] as const satisfies readonly (readonly [string, Parameters<typeof mintAws>[0]])[])(
    "one %s",
    async (_form, change) => {
      expect(await refusals(change)).toEqual([]);
    },
  );

  test("one with the other valid form of its signature", async () => {
    // (r, n - s): whoever has a document can write it in this form too, so nothing may be keyed on its bytes.
    const n = BigInt(
      "0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
    );
    const other = (signature: Uint8Array): Uint8Array => {
      const s = BigInt(`0x${Buffer.from(signature.subarray(48)).toString("hex")}`);
      const negated = (n - s).toString(16).padStart(96, "0");
      return Buffer.concat([signature.subarray(0, 48), Buffer.from(negated, "hex")]);
    };
    expect(await refusals({ signature: other })).toEqual([]);
  });
});

describe("what the document says", () => {
  test("becomes registers and facts", () => {
    const evidence = fakeTee().parseEvidence(
      mintAws({ nonce: Uint8Array.of(1, 2), publicKey: Uint8Array.of(3) }).bytes,
    );
    expect(Object.keys(evidence.registers)).toHaveLength(16);
    expect(evidence.registers["pcr4"]).toBe("14".repeat(48));
    expect(evidence.facts).toEqual({
      moduleId: rightFields.moduleId,
      digest: "SHA384",
      timestamp: rightFields.timestamp,
      pcrs: { "0": "10".repeat(48), "1": "11".repeat(48), "2": "12".repeat(48), "4": "14".repeat(48) },
      pcrCount: 16,
      publicKey: "03",
      userData: "77".repeat(64),
      nonce: "0102",
    });
    expect([evidence.tcb, evidence.debug]).toEqual(["none", false]);
  });

  test("is bound by its user data, and by nothing where it has none", () => {
    const bound = (userData: Uint8Array | null): Uint8Array =>
      fakeTee().parseEvidence(mintAws({ userData }).bytes).bound;
    expect(bound(full(5))).toEqual(full(5));
    expect(bound(null)).toEqual(new Uint8Array());
  });

  test("is a copy: later changes of the caller's bytes change nothing", async () => {
    const { bytes } = mintAws();
    const evidence = fakeTee().parseEvidence(bytes);
    bytes.fill(0);
    const { findings } = await evidence.authenticate({}, strictPolicy, NOW);
    expect(findings.filter(({ status }) => status !== "passed")).toEqual([]);
  });
});

describe("on the very edge", () => {
  test.each(RANKS)("of the validity of the certificate %s", async (rank) => {
    for (const edge of [{ notBefore: NOW }, { notAfter: NOW }]) {
      const { bytes, identities } = mintAws({ timestamp: NOW * 1000 + 999, certificates: { [rank]: edge } });
      const tee = nitroUnder([Buffer.from(sha256(identities.root.der)).toString("hex")]);
      expect(await refusalsOf(bytes, asked({ tee }))).toEqual([]);
    }
  });

  test("of the age that the policy allows, and of the clocks' difference", async () => {
    const { bytes } = mintAws({ timestamp: (NOW - 300) * 1000 });
    expect(await refusalsOf(bytes)).toEqual([]);
    expect(await refusalsOf(bytes, asked({ policy: policyWith({ maxDocumentAge: 299 }) }))).toEqual([
      "evidence-age: evidence-too-old",
    ]);
    expect(await refusals({ timestamp: (NOW + 300) * 1000 })).toEqual([]);
  });
});

test("what is remembered of a chain is judged anew: dates and policy", async () => {
  const { bytes } = mintAws();
  expect(await refusalsOf(bytes)).toEqual([]);
  expect(await refusalsOf(bytes, asked({ now: VALIDITY.enclave.notAfter + 1 }))).toEqual([
    "certificate-validity enclave: expired",
    "evidence-age: evidence-too-old",
  ]);
  expect(await refusalsOf(bytes)).toEqual([]);
});

test("two documents that differ in one byte are two documents", async () => {
  const { bytes } = mintAws();
  expect(await refusalsOf(bytes)).toEqual([]);
  const at = Buffer.from(bytes).indexOf(Buffer.from(rightFields.userData ?? []));
  expect(at).toBeGreaterThan(0);
  expect(await refusalsOf(bytes.with(at, 0x78))).toEqual(["evidence-signature: bad-signature"]);
});

function full(byte: number): Uint8Array {
  return new Uint8Array(48).fill(byte);
}

function rootIssuer() {
  return mintAws().identities.root;
}
