/** What a fake Microsoft's endorsement is accepted for, and every single thing that refuses it. */
import { sign } from "node:crypto";
import { describe, expect, test } from "vitest";
import { azureUvm } from "@blindbox/attestation";
import { azureUvmUnder } from "../../src/azure-aci/endorser.ts";
import { array, byteString, text, unsigned } from "../cbor-bytes.ts";
import { name } from "../der.ts";
import { pkcs1Keys, pkcs1Sha256, pkcs1Sha384, pssKeys, rsaPair } from "../rsa.ts";
import {
  basicConstraints,
  caUsage,
  certSignOnly,
  curveKeys,
  keyUsage,
  leafUsage,
  NOW,
  unknownCritical,
} from "../vendor.ts";
import { endorsed, fakeEndorser, refusals, refusalsOf } from "./endorse.ts";
import {
  caKeys,
  didOf,
  fakeIssuers,
  FEED,
  foreignPair,
  keysOf,
  mintUvm,
  payloadWith,
  PURPOSE,
  purposes,
  RANKS,
  SIGNED_AT,
  VALIDITY,
  type UvmChange,
} from "./vendor.ts";

type Row = readonly [string, UvmChange, readonly string[]];

function refused(rows: readonly Row[]): void {
  test.each(rows)("%s", async (_name, change, expected) => {
    expect(await refusals(change)).toEqual(expected);
  });
}

describe("a right endorsement", () => {
  test("gives issuer, feed and security version, and has every finding passed", async () => {
    const { findings, registers, facts } = await endorsed(mintUvm().bytes);
    expect(findings.filter(({ status }) => status !== "passed")).toEqual([]);
    expect(registers).toEqual({ uvmIssuer: didOf(mintUvm().identities.root.der), uvmFeed: FEED, uvmSvn: "104" });
    expect(facts).toEqual({ ...registers, uvmSvn: 104, uvmSigningTime: SIGNED_AT });
  });

  test("makes tuples of issuer, feed, lowest security version and host data", () => {
    expect(fakeEndorser().shape).toEqual({ uvmIssuer: "text", uvmFeed: "text", uvmSvn: "at-least", hostData: 32 });
  });

  test("is accepted after its signer's certificate has ended, and says at which time it was judged", async () => {
    expect(VALIDITY.signer.notAfter).toBeLessThan(NOW);
    const { findings } = await endorsed(mintUvm().bytes);
    const validity = findings.filter(({ check }) => check === "certificate-validity");
    expect(validity.map(({ subject }) => subject)).toEqual(["uvm root", "uvm x5chain[1]", "uvm signer"]);
    for (const { expected, reason } of validity) {
      expect(expected).toContain(new Date(SIGNED_AT * 1000).toISOString());
      expect(reason).toBe("The certificate was valid when the endorsement was signed.");
    }
  });

  refused([
    ["without its tag", { envelope: (parts) => array(...parts) }, []],
    [
      "with a time stamp of a third party's",
      { unprotected: [[text("timestamp"), byteString(new Uint8Array(5000))]] },
      [],
    ],
    [
      "without a thumbprint",
      { header: (entries) => entries.filter(([key]) => !Buffer.from(unsigned(34)).equals(key)) },
      [],
    ],
    ["with its security version as a number too", { payload: payloadWith({ "x-ms-sevsnpvm-guestsvn-int": 104 }) }, []],
    ["with a member that nobody knows", { payload: payloadWith({ future: [1] }) }, []],
    ["of the lowest security version", { svn: "0" }, []],
    ["of the highest security version", { svn: "999999999999999" }, []],
    ["signed this very second", { signingTime: SIGNED_AT }, []],
  ]);

  test("by Microsoft's pins a fake one is refused", async () => {
    expect(await refusalsOf(mintUvm().bytes, azureUvm())).toEqual([
      "uvm-issuer: feed-mismatch",
      "uvm-root: untrusted-root",
      "uvm-purpose: bad-chain",
    ]);
  });
});

describe("the measurement", () => {
  const mismatch = ["measurement-endorsement: measurement-mismatch"];
  refused([
    ["of another utility VM", { measurement: "2b".repeat(48) }, mismatch],
    ["that differs in one bit", { measurement: `${"2a".repeat(47)}2b` }, mismatch],
    ["of zeros", { measurement: "00".repeat(48) }, mismatch],
  ]);
});

describe("the issuer", () => {
  const { root } = mintUvm().identities;
  const unknown = ["uvm-issuer: feed-mismatch", "uvm-root: untrusted-root", "uvm-purpose: bad-chain"];
  refused([
    ["of another purpose under the same root", { issuer: didOf(root.der, "1.3.6.1.4.1.99999.59.1.1") }, unknown],
    ["of another root", { issuer: didOf(new Uint8Array(1)) }, unknown],
    ["with the purpose of the accepted one as a prefix", { issuer: `${didOf(root.der)}.1` }, unknown],
    ["in capitals", { issuer: didOf(root.der).toUpperCase() }, unknown],
    ["that is no DID", { issuer: "Microsoft" }, unknown],
  ]);

  test("with a certificate for the tests' purpose alone is refused", async () => {
    const signer = { extensions: [leafUsage, purposes("1.3.6.1.4.1.311.10.3.13"), basicConstraints(false)] };
    expect(await refusals({ certificates: { signer } })).toEqual(["uvm-purpose: bad-chain"]);
  });
});

describe("the chain", () => {
  const forged = (subject: string): string => `certificate-signature uvm ${subject}: bad-chain`;
  const foreignRoot = mintUvm({ certificates: { root: { keys: caKeys(foreignPair) } } }).identities.root;
  const dropRoot: UvmChange = { chain: (chain) => chain.slice(0, 2) };
  refused([
    [
      "under a root of somebody else's",
      { certificates: { root: { keys: caKeys(foreignPair) } } },
      ["uvm-root: untrusted-root"],
    ],
    [
      "with a foreign root behind it",
      { chain: (chain) => [...chain, foreignRoot.der] },
      ["uvm-root: untrusted-root", forged("x5chain[2]")],
    ],
    [
      "with a foreign root in the place of its own",
      { chain: (chain) => chain.with(2, foreignRoot.der) },
      ["uvm-root: untrusted-root", forged("x5chain[1]")],
    ],
    ["without its root", dropRoot, ["uvm-root: untrusted-root"]],
    [
      "with an intermediate by a foreign key",
      { certificates: { intermediate: { issuer: foreignRoot } } },
      [forged("x5chain[1]")],
    ],
    [
      "with a signer by a foreign key",
      { certificates: { signer: { issuer: { subject: name("Test intermediate"), keys: caKeys(foreignPair) } } } },
      [forged("signer")],
    ],
    [
      "with a signer of another issuer's name",
      { certificates: { signer: { issuer: { subject: name("Other"), keys: keysOf.intermediate } } } },
      ["certificate-issuer uvm signer: bad-chain"],
    ],
    [
      "with a signer that is a CA",
      { certificates: { signer: { extensions: [leafUsage, purposes(PURPOSE), basicConstraints(true)] } } },
      ["certificate-use uvm signer: bad-chain"],
    ],
    [
      "with a signer that may only certify",
      { certificates: { signer: { extensions: [certSignOnly, purposes(PURPOSE)] } } },
      ["certificate-use uvm signer: bad-chain", "uvm-purpose: bad-chain"],
    ],
    [
      "with a signer of no key usage",
      { certificates: { signer: { extensions: [purposes(PURPOSE)] } } },
      ["uvm-purpose: bad-chain"],
    ],
    [
      "with a signer for no purpose",
      { certificates: { signer: { extensions: [leafUsage] } } },
      ["uvm-purpose: bad-chain"],
    ],
    [
      "with a signer of a condition that nobody knows",
      { certificates: { signer: { extensions: [leafUsage, purposes(PURPOSE), unknownCritical] } } },
      ["certificate-extensions uvm signer: bad-chain"],
    ],
    [
      "with an intermediate that is no CA",
      { certificates: { intermediate: { extensions: [basicConstraints(false), caUsage] } } },
      ["certificate-authority uvm x5chain[1]: bad-chain"],
    ],
    [
      "with an intermediate that may not certify",
      { certificates: { intermediate: { extensions: [basicConstraints(true), keyUsage(0)] } } },
      ["certificate-authority uvm x5chain[1]: bad-chain"],
    ],
    [
      "with certificates signed over SHA-256",
      { certificates: { signer: { issuer: issuerWith(pkcs1Keys(rsaOf("intermediate"), pkcs1Sha256)) } } },
      [forged("signer")],
    ],
    [
      "with certificates signed by PSS",
      { certificates: { signer: { issuer: issuerWith(pssKeys(rsaOf("intermediate"))) } } },
      [forged("signer")],
    ],
    [
      "with certificates that say SHA-384 and are over SHA-256",
      { certificates: { signer: { issuer: issuerWith(pkcs1Keys(rsaOf("intermediate"), pkcs1Sha384, "sha256")) } } },
      [forged("signer")],
    ],
  ]);

  test("with the signer's certificate twice, and with the root alone", async () => {
    expect(
      (await refusals({ chain: ([signer, ...rest]) => (signer === undefined ? [] : [signer, signer, ...rest]) }))[0],
    ).toBe("certificate-issuer uvm signer: bad-chain");
    expect(await refusals({ chain: (chain) => chain.slice(2) })).toEqual(["parse: bad-encoding"]);
    expect(await refusals({ chain: (chain) => chain.toReversed() })).toContain("uvm-root: untrusted-root");
  });
});

function rsaOf(rank: "intermediate"): { privateKey: (typeof keysOf)["root"]["privateKey"]; spki: Uint8Array } {
  const { privateKey, spki } = keysOf[rank];
  return { privateKey, spki };
}

function issuerWith(keys: (typeof keysOf)["root"]): { subject: Uint8Array; keys: (typeof keysOf)["root"] } {
  return { subject: name("Test intermediate"), keys };
}

describe("the signature", () => {
  const wrong = ["uvm-signature: bad-signature"];
  const pkcs1 = (_signature: Uint8Array): Uint8Array =>
    new Uint8Array(sign("sha384", Buffer.from("other"), keysOf.signer.privateKey));
  refused([
    ["by another key", { signer: caKeys(foreignPair) }, wrong],
    ["by its issuer", { signer: keysOf.intermediate }, wrong],
    ["with a salt of 32 bytes", { salt: 32 }, wrong],
    ["without a salt", { salt: 0 }, wrong],
    ["over SHA-256", { hash: "sha256", salt: 48 }, wrong],
    ["by PKCS#1 in the place of PSS", { signature: pkcs1 }, wrong],
    ["all zero", { signature: (signature) => new Uint8Array(signature.length) }, wrong],
    ["all ones", { signature: (signature) => new Uint8Array(signature.length).fill(0xff) }, wrong],
    ["reversed", { signature: (signature) => signature.toReversed() }, wrong],
    ["with a byte more", { signature: (signature) => Buffer.concat([Uint8Array.of(0), signature]) }, wrong],
    [
      "by a key on a curve",
      { certificates: { signer: { keys: curveKeys("P-384") } }, signer: caKeys(foreignPair) },
      wrong,
    ],
  ]);
  test("is not looked for by an RSA key of less than 2048 bits", async () => {
    const weak = caKeys(rsaPair(1024));
    expect(await refusals({ certificates: { signer: { keys: weak } }, signer: caKeys(foreignPair) })).toEqual([
      "parse: bad-certificate",
    ]);
  });
});

describe("time", () => {
  test.each(RANKS)("of signing one second outside the validity of the certificate %s", async (rank) => {
    const subject = rank === "intermediate" ? "x5chain[1]" : rank;
    for (const [edge, code] of [
      [{ notBefore: SIGNED_AT + 1 }, "not-yet-valid"],
      [{ notAfter: SIGNED_AT - 1 }, "expired"],
    ] as const) {
      const { bytes, identities } = mintUvm({ certificates: { [rank]: edge } });
      const endorser = azureUvmUnder(
        fakeIssuers(identities.root.der).map((pin) => ({ ...pin, did: fakeIssuers()[0]?.did ?? "" })),
      );
      expect(await refusalsOf(bytes, endorser)).toEqual([`certificate-validity uvm ${subject}: ${code}`]);
    }
  });

  test("of signing that is still to come", async () => {
    expect(await refusals({}, SIGNED_AT)).toEqual([]);
    expect(await refusals({}, SIGNED_AT - 1)).toEqual(["uvm-signing-time: not-yet-valid"]);
  });
});
