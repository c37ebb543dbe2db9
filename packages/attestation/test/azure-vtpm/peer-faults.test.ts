/** Faults that other verifiers of Azure's machines had, each kept out of this one by name. */
import { constants, sign } from "node:crypto";
import { expect, test } from "vitest";
import { findingOf, refusals } from "./appraise.ts";
import { quoteBytes, rightPcrs } from "./tpm.ts";
import { ak, ek, fakeTee, jwkOf, mintEvidence, rightRuntimeData, type AzureChange } from "./vendor.ts";

const signedByKey = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(sign("sha256", bytes, { key: ak.privateKey, padding: constants.RSA_PKCS1_PADDING }));

test("Azure/confidential-computing-cvm-guest-attestation#18: the quote's key is traced to the hardware's own report", async () => {
  const keys = [jwkOf(ek, "HCLAkPub", "sign"), ...rightRuntimeData.keys.slice(1)];
  const forged = new Uint8Array(Buffer.from(JSON.stringify({ ...rightRuntimeData, keys })));
  expect(await refusals({ otherRuntimeData: () => forged, signer: ek.privateKey })).toEqual([
    "hcl-binding: var-data-mismatch",
  ]);
});

test("Azure/confidential-computing-cvm-guest-attestation#40: what the key signed begins as the TPM's own words do, and is a quote", async () => {
  // A key that signs other things as well signs these too: the right signature makes no quote of them.
  for (const change of [
    { generated: 0xff_54_43_46 },
    { generated: 0x54_43_47_ff },
    { attestType: 0x8014 },
    { attestType: 0x801a },
  ]) {
    expect(await refusals(change)).toEqual(["parse: unsupported-format"]);
  }
});

test("Azure/confidential-computing-cvm-guest-attestation#40: the PCRs' digest is recomputed, over their values in order", async () => {
  const wrong: readonly AzureChange[] = [
    { pcrs: (right) => right.with(4, "00".repeat(32)) },
    { pcrs: (right) => right.toReversed() },
    { quotedPcrs: rightPcrs.with(4, new Uint8Array(32)) },
  ];
  for (const change of wrong) expect(await refusals(change)).toEqual(["pcr-digest: pcr-mismatch"]);
});

test("agentrust-io/cmcp#444: the nonce in a quote is nothing without the signature over it", async () => {
  const fresh = quoteBytes({ extraData: new Uint8Array(32).fill(9) });
  expect(await refusals({ quote: () => fresh })).toEqual(["tpm-quote-signature: bad-quote-signature"]);
  expect(await refusals({ quote: () => fresh, signature: () => signedByKey(fresh) })).toEqual([]);
});

test("confidential-dot-ai/c8s#456, SeismicSystems/enclave#187: no tuple pins the paravisor alone", () => {
  for (const shape of fakeTee().tuples) {
    expect(Object.keys(shape).filter((name) => /^pcr([0-9]|1[0-9]|2[0-3])$/.test(name))).toHaveLength(24);
  }
});

test("confidential-dot-ai/c8s#456: a PCR that the quote leaves out is no register, though its value came along", () => {
  const { bytes } = mintEvidence({ banks: [{ pcrs: [0, 1, 2, 3] }] });
  const { registers, facts } = fakeTee().parseEvidence(bytes);
  expect(registers["pcr4"]).toBeUndefined();
  expect(Object.keys(facts["pcrs"] as object)).not.toContain("4");
});

test("SeismicSystems/enclave#187: a TDREPORT is believed only as far as a quote repeats it", async () => {
  expect(await refusals({ on: "tdx", tdQuote: () => null })).toEqual(["parse: missing-td-quote"]);
  const { status } = await findingOf({ on: "tdx" }, "hcl-binding");
  expect(status).toBe("passed");
  expect(await refusals({ on: "tdx", intel: { body: { reportData: new Uint8Array(64) } } })).toEqual([
    "td-report (reportData): report-data-mismatch",
    "hcl-binding: var-data-mismatch",
  ]);
});
