/** The whole Verifier over a container group of Azure's: a report of the fake AMD, endorsed by the fake Microsoft. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { errorFor, type AttestationResult, type ReferenceValues } from "@blindbox/attestation";
import { sevSnpUnder } from "../../src/sev-snp/tee.ts";
import { exchange, failedChecks, reference } from "../box.ts";
import { fakeRoots, mintEvidence } from "../sev-snp/vendor.ts";
import { base64url } from "../vendor.ts";
import { fakeEndorser } from "./endorse.ts";
import { didOf, FEED, mintUvm, type UvmChange } from "./vendor.ts";

const registers = {
  uvmIssuer: didOf(mintUvm().identities.root.der),
  uvmFeed: FEED,
  uvmSvn: "100",
  hostData: "33".repeat(32),
};

const tuple: ReferenceValues = { ...reference, tee: "sev-snp", registers };
const tee = sevSnpUnder(fakeRoots(), fakeEndorser());

async function verify(
  change: UvmChange | null,
  referenceValues: readonly ReferenceValues[] = [tuple],
): Promise<AttestationResult> {
  const uvm = change === null ? null : base64url(mintUvm({ measurement: "22".repeat(48), ...change }).bytes);
  const made = await exchange({
    tees: [tee],
    referenceValues,
    statement: { tee: "sev-snp" },
    document: (document) => {
      const reportData = new Uint8Array(createHash("sha512").update(document.statement).digest());
      const { bytes, endorsements } = mintEvidence({
        report: { reportData },
        endorsements: (right) => ({ ...right, uvm }),
      });
      return { ...document, tee: "sev-snp", evidence: bytes, endorsements };
    },
  });
  return made.verify();
}

const pinned = (change: Partial<typeof registers>): readonly ReferenceValues[] => [
  { ...tuple, registers: { ...registers, ...change } },
];

test("a utility VM of Microsoft's with the right policy is affirmed, and the claims say which one", async () => {
  const result = await verify({});
  expect([failedChecks(result), result.status]).toEqual([[], "affirming"]);
  expect(result.claims.registers).toMatchObject({ ...registers, uvmSvn: "104", measurement: "22".repeat(48) });
  expect(result.claims.facts).toMatchObject({ uvmFeed: FEED, uvmSvn: 104 });
  expect(result.claims.release).toBe(tuple.release);
});

describe("the tuple", () => {
  test("holds a lowest security version, compared as a number", async () => {
    expect((await verify({ svn: "100" })).status).toBe("affirming");
    expect((await verify({ svn: "1000" })).status).toBe("affirming");
    for (const svn of ["99", "0", "9"]) {
      const result = await verify({ svn });
      expect([failedChecks(result), result.status]).toEqual([["reference-values"], "contraindicated"]);
      expect(errorFor(result).name).toBe("InvalidEnclaveCode");
    }
  });

  test.each([
    ["another policy", { hostData: "34".repeat(32) }],
    ["another feed", { uvmFeed: `${FEED}-2` }],
    ["another issuer", { uvmIssuer: `${registers.uvmIssuer}.1` }],
  ])("refuses %s", async (_what, change) => {
    const result = await verify({}, pinned(change));
    expect([failedChecks(result), result.status]).toEqual([["reference-values"], "contraindicated"]);
  });

  test("of a measurement is accepted beside it, and the two never mix", async () => {
    const measured = {
      measurement: "22".repeat(48),
      hostData: registers.hostData,
      policy: "0000000000030000",
      vmpl: "00000000",
    };
    expect((await verify(null, [{ ...tuple, registers: measured }])).status).toBe("affirming");
    expect((await verify({}, [{ ...tuple, registers: measured }, tuple])).status).toBe("affirming");
    await expect(verify({}, pinned({ measurement: "22".repeat(48) } as object))).rejects.toThrow(TypeError);
  });

  test("without one of its registers is a TypeError", async () => {
    for (const name of Object.keys(registers)) {
      const { [name as keyof typeof registers]: _gone, ...rest } = registers;
      await expect(verify({}, [{ ...tuple, registers: rest }])).rejects.toThrow(TypeError);
    }
    await expect(verify({}, pinned({ uvmSvn: "0100" }))).rejects.toThrow(TypeError);
    await expect(verify({}, pinned({ uvmFeed: "" }))).rejects.toThrow(TypeError);
  });
});

describe("without a right endorsement", () => {
  test("nothing stands in the place of the tuple's names", async () => {
    const result = await verify(null);
    expect([failedChecks(result), result.status]).toEqual([["reference-values"], "contraindicated"]);
  });

  test.each<readonly [string, UvmChange, readonly string[]]>([
    ["of another measurement", { measurement: "23".repeat(48) }, ["measurement-endorsement"]],
    ["that nobody signed", { signature: (signature) => signature.toReversed() }, ["uvm-signature"]],
    [
      "of an issuer that is not accepted",
      { issuer: "did:x509:0:sha256:x::eku:1.2" },
      ["uvm-issuer", "uvm-root", "uvm-purpose", "reference-values"],
    ],
    ["that cannot be read", { envelope: () => new Uint8Array(3) }, ["measurement-endorsement", "reference-values"]],
  ])("one %s is refused", async (_what, change, checks) => {
    const result = await verify(change);
    expect([failedChecks(result), result.status]).toEqual([checks, "contraindicated"]);
    expect(errorFor(result).name).toBe("NotAnEnclaveError");
  });
});
