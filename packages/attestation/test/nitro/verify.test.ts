/** The whole Verifier over documents of the fake AWS: what is affirmed, and which error each refusal becomes. */
import { describe, expect, test } from "vitest";
import { errorFor, strictPolicy } from "@blindbox/attestation";
import { failedChecks } from "../box.ts";
import { NOW } from "../vendor.ts";
import { policyWith } from "./appraise.ts";
import { bindingOf, nitroReference, verifyNitro, type NitroExchange } from "./exchange.ts";
import { mintAws, pcrsWith, rightFields } from "./vendor.ts";

test("a box in an enclave of AWS's is affirmed, with every register in the claims", async () => {
  const result = await verifyNitro();
  expect([failedChecks(result), result.status]).toEqual([[], "affirming"]);
  expect(result.claims).toMatchObject({
    tee: "nitro",
    measurement: "10".repeat(48),
    tcb: "none",
    debug: false,
    release: nitroReference.release,
    facts: { moduleId: rightFields.moduleId, nonce: null, publicKey: null },
  });
  expect(result.claims.registers).toMatchObject({
    pcr0: "10".repeat(48),
    pcr4: "14".repeat(48),
    pcr15: "00".repeat(48),
  });
});

const zero = new Uint8Array(48);
const otherPcr = (at: number): NitroExchange => ({ aws: { pcrs: pcrsWith({ [at]: new Uint8Array(48).fill(0xee) }) } });
const userData = (value: Uint8Array | null): NitroExchange => ({ aws: { userData: value } });

describe("one thing wrong", () => {
  test.each<readonly [string, NitroExchange, readonly string[], string]>([
    ["PCR0 of another image", otherPcr(0), ["reference-values"], "InvalidEnclaveCode"],
    ["PCR1 of another image", otherPcr(1), ["reference-values"], "InvalidEnclaveCode"],
    ["PCR2 of another image", otherPcr(2), ["reference-values"], "InvalidEnclaveCode"],
    [
      "debug mode",
      { aws: { pcrs: pcrsWith({ 0: zero, 1: zero, 2: zero }) } },
      ["debug", "reference-values"],
      "DebugModeError",
    ],
    ["no user data", userData(null), ["statement-binding"], "ChannelBindingError"],
    ["empty user data", userData(new Uint8Array()), ["statement-binding"], "ChannelBindingError"],
    [
      "user data of another Statement",
      userData(new Uint8Array(64).fill(1)),
      ["statement-binding"],
      "ChannelBindingError",
    ],
    ["an old document", { aws: { timestamp: (NOW - 301) * 1000 } }, ["evidence-age"], "StaleEvidenceError"],
    ["a nonce", { aws: { nonce: new Uint8Array(32) } }, ["document-nonce"], "ChannelBindingError"],
    ["a public key", { aws: { publicKey: new Uint8Array(65) } }, ["document-public-key"], "ChannelBindingError"],
    [
      "a signature that is wrong",
      { aws: { signature: (raw) => raw.toReversed() } },
      ["evidence-signature"],
      "NotAnEnclaveError",
    ],
    [
      "an instance that is not accepted",
      { change: { policy: policyWith({ instances: ["00".repeat(48)] }) } },
      ["instance"],
      "OutdatedPlatformError",
    ],
    [
      "Endorsements beside the chain",
      { document: (right) => ({ ...right, endorsements: { chain: [] } }) },
      ["endorsements-form"],
      "NotAnEnclaveError",
    ],
    [
      "a document that cannot be read",
      { document: (right) => ({ ...right, evidence: right.evidence.subarray(1) }) },
      ["evidence-form"],
      "NotAnEnclaveError",
    ],
  ])("%s", async (_name, exchange, checks, error) => {
    const result = await verifyNitro(exchange);
    expect([failedChecks(result), result.status]).toEqual([checks, "contraindicated"]);
    expect(errorFor(result).name).toBe(error);
  });

  test.each([63, 65, 128])("user data of %i bytes that begin as the binding does", async (length) => {
    const rebound = (statement: string): Uint8Array => {
      const bytes = new Uint8Array(length);
      bytes.set(bindingOf(statement).subarray(0, length));
      return mintAws({ userData: bytes }).bytes;
    };
    const result = await verifyNitro({ document: (right) => ({ ...right, evidence: rebound(right.statement) }) });
    expect(failedChecks(result)).toEqual(["statement-binding"]);
  });
});

test("debug mode that the policy allows is a warning at best", async () => {
  const pcrs = pcrsWith({ 0: zero, 1: zero, 2: zero });
  const zeroed = {
    ...nitroReference,
    registers: { pcr0: "00".repeat(48), pcr1: "00".repeat(48), pcr2: "00".repeat(48) },
  };
  const change = { policy: { ...strictPolicy, debug: "allow" as const }, referenceValues: [zeroed] };
  expect((await verifyNitro({ aws: { pcrs }, change })).status).toBe("warning");
  expect((await verifyNitro({ aws: { pcrs }, change: { referenceValues: [zeroed] } })).status).toBe("contraindicated");
});

test("a tuple without one of the three PCRs, or with one more, is a TypeError", async () => {
  for (const registers of [
    { pcr0: "10".repeat(48), pcr1: "11".repeat(48) },
    { ...nitroReference.registers, pcr8: "00".repeat(48) },
  ]) {
    await expect(verifyNitro({ change: { referenceValues: [{ ...nitroReference, registers }] } })).rejects.toThrow(
      TypeError,
    );
  }
});
