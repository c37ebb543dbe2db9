/** Certificates that are signed otherwise than they say, at every place of the chain. */
import { sign } from "node:crypto";
import { describe, expect, test } from "vitest";
import { algorithmOf, curveKeys, type Identity, type Keys } from "../vendor.ts";
import { p384, wrongSignatures } from "../scalars.ts";
import { refusals } from "./appraise.ts";
import { keysOf, mintAws, RANKS, type AwsChange, type Rank } from "./vendor.ts";

const signedRanks = RANKS.slice(1);
const right = mintAws().identities;

/** The certificate of that rank, signed by its own issuer with this change. */
function signedBy(rank: Rank, change: Partial<Keys>): AwsChange {
  const above = RANKS[RANKS.indexOf(rank) - 1] ?? "root";
  const issuer: Identity = { ...right[above], keys: { ...keysOf[above], ...change } };
  return { certificates: { [rank]: { issuer } } };
}

function raw(rank: Rank, body: Uint8Array): Uint8Array {
  const above = RANKS[RANKS.indexOf(rank) - 1] ?? "root";
  return new Uint8Array(sign("sha384", body, { key: keysOf[above].privateKey, dsaEncoding: "ieee-p1363" }));
}

const subjectOf = (rank: Rank): string => (rank === "enclave" ? rank : `cabundle[${RANKS.indexOf(rank)}]`);
const forged = (rank: Rank): readonly string[] => [`certificate-signature ${subjectOf(rank)}: bad-chain`];

describe.each(signedRanks)("the certificate %s", (rank) => {
  test("is accepted with the other valid form of its signature", async () => {
    expect(await refusals(signedBy(rank, { sign: (body) => p384.der(p384.negated(raw(rank, body))) }))).toEqual([]);
  });

  test.each(Object.entries(wrongSignatures))("is refused with a signature with %s", async (_name, change) => {
    const wrong = (body: Uint8Array): Uint8Array => p384.der(change(raw(rank, body)));
    expect(await refusals(signedBy(rank, { sign: wrong }))).toEqual(forged(rank));
  });

  test.each([
    ["raw where DER is due", (body: Uint8Array) => raw(rank, body)],
    ["with a byte behind it", (body: Uint8Array) => Buffer.concat([p384.der(raw(rank, body)), Uint8Array.of(0)])],
    ["empty", () => new Uint8Array()],
    ["over SHA-256", (body: Uint8Array) => new Uint8Array(sign("sha256", body, keysIssuing(rank).privateKey))],
    ["over SHA-1", (body: Uint8Array) => new Uint8Array(sign("sha1", body, keysIssuing(rank).privateKey))],
  ])("is refused with a signature that is %s", async (_name, wrong) => {
    expect(await refusals(signedBy(rank, { sign: wrong }))).toEqual(forged(rank));
  });

  test("is refused where it names another algorithm than it was signed with", async () => {
    const p256 = algorithmOf("P-256");
    expect(await refusals(signedBy(rank, { algorithm: p256 }))).toEqual(forged(rank));
    for (const change of [{ innerAlgorithm: p256 }, { outerAlgorithm: p256 }]) {
      expect(await refusals({ certificates: { [rank]: change } })).toEqual(["parse: bad-certificate"]);
    }
  });

  test("is refused where ECDSA with SHA-256 signed it, though all else is right", async () => {
    const p256 = curveKeys("P-256");
    const above = RANKS[RANKS.indexOf(rank) - 1] ?? "root";
    const found = await refusals({
      certificates: { [above]: { keys: p256 }, [rank]: { issuer: { ...right[above], keys: p256 } } },
    });
    expect(found).toContain(forged(rank)[0]);
  });
});

function keysIssuing(rank: Rank): Keys {
  return keysOf[RANKS[RANKS.indexOf(rank) - 1] ?? "root"];
}
