/** Hardware and Endorsements as a whole, and what the policy does not accept. */
import { describe, expect, test } from "vitest";
import { strictPolicy, type AppraisalPolicy, type Tee } from "@blindbox/attestation";
import { azureVtpm } from "../../src/azure-vtpm/tee.ts";
import { fakeTee as fakeSevSnp } from "../sev-snp/appraise.ts";
import { fakeTee as fakeTdx } from "../tdx/appraise.ts";
import { rightBody } from "../tdx/quote.ts";
import { policyWith, refusals, refusalsOf } from "./appraise.ts";
import { machine } from "./cases/hardware.ts";
import { fakeTee, mintEvidence } from "./vendor.ts";

describe("below the virtual TPM", () => {
  test("what TDX 1.0 does not quote cannot be compared, and is derived from nowhere", async () => {
    const change = { on: "tdx", tdReport: { teeTcbSvn2: new Uint8Array(16), mrservicetd: rightBody.mrtd } } as const;
    expect(await refusals(change)).toEqual([]);
    const { facts } = fakeTee().parseEvidence(mintEvidence(change).bytes);
    expect([facts["teeTcbSvn2"], facts["mrservicetd"]]).toEqual([null, null]);
  });
});

describe("hardware that is not passed in", () => {
  test.each([
    ["SEV-SNP", {}, fakeTdx],
    ["TDX", { on: "tdx" }, fakeSevSnp()],
  ] as const)("is refused: %s", async (_name, change, only) => {
    const { bytes, endorsements } = mintEvidence(change);
    const refusal = await refusalsOf(azureVtpm({ hardware: [only] }), bytes, endorsements);
    expect(refusal).toEqual(["parse: wrong-tee-type"]);
  });

  test("leaves no shape of tuple behind", () => {
    expect(azureVtpm({ hardware: [fakeTdx] }).tuples).toHaveLength(1);
    expect(azureVtpm({ hardware: [fakeSevSnp()] }).tuples).toHaveLength(2);
    expect(fakeTee().tuples).toHaveLength(3);
  });

  test("a check that the hardware demands and that nobody made is a refusal of its own", async () => {
    const demanding: Tee = { ...fakeSevSnp(), requiredChecks: [...fakeSevSnp().requiredChecks, "a-new-check"] };
    const { bytes, endorsements } = mintEvidence();
    const refusal = await refusalsOf(azureVtpm({ hardware: [demanding] }), bytes, endorsements);
    expect(refusal).toEqual(["hardware-checks: missing-endorsement"]);
  });

  test("hardware whose own reader does not say the level or the signer is refused", async () => {
    const sevSnp = fakeSevSnp();
    const silent: Tee = {
      ...sevSnp,
      parseEvidence: (bytes) => ({ ...sevSnp.parseEvidence(bytes), facts: {} }),
    };
    const { bytes, endorsements } = mintEvidence();
    const refusal = await refusalsOf(azureVtpm({ hardware: [silent] }), bytes, endorsements);
    expect(refusal).toEqual(["hcl-level: vmpl-mismatch", "hcl-id-key: id-key-mismatch"]);
  });
});

describe("the policy", () => {
  test("may do without Secure Boot, and without a console", async () => {
    for (const value of [false, undefined]) {
      expect(await refusals(machine({ "secure-boot": value }), policyWith({ secureBoot: "any" }))).toEqual([]);
    }
    expect(await refusals(machine({ "console-enabled": false }), policyWith({ console: "forbid" }))).toEqual([]);
  });

  test("lists the signers of paravisors, or leaves them to the tuple", async () => {
    const digest = "09".repeat(48);
    const change = { amd: { report: { idKeyDigest: new Uint8Array(48).fill(9) } } };
    expect(await refusals(change, policyWith({ idKeyDigests: [digest] }))).toEqual([]);
    expect(await refusals(change, policyWith({ idKeyDigests: "any" }))).toEqual([]);
    expect(await refusals({}, policyWith({ idKeyDigests: [digest] }))).toEqual(["hcl-id-key: id-key-mismatch"]);
  });

  test("of the hardware may accept another level, and this kind of TEE does not", async () => {
    const policy: AppraisalPolicy = { ...strictPolicy, sevSnp: { ...strictPolicy.sevSnp, vmpls: [0, 2] } };
    expect(await refusals({ amd: { report: { vmpl: 2 } } }, policy)).toEqual(["hcl-level: vmpl-mismatch"]);
  });

  test("accepts debugging as a warning alone", async () => {
    const change = { amd: { report: { policy: 0xb0000n } } };
    expect(await refusals(change, { ...strictPolicy, debug: "allow" })).toEqual(["debug warning"]);
  });
});
