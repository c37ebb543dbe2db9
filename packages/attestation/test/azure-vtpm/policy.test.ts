/** A caller's mistakes are TypeErrors that name their path: in the policy, in the options, in a tuple. */
import { describe, expect, test } from "vitest";
import {
  azureVtpm,
  createVerifier,
  MICROSOFT_ID_KEYS,
  sevSnp,
  simulated,
  strictPolicy,
  tdx,
  type ReferenceValues,
} from "@blindbox/attestation";
import { readAppraisalPolicy } from "../../src/appraisal-policy.ts";
import { pem, sha256Text } from "../vendor.ts";
import { vendor } from "../box.ts";
import { policyWith } from "./appraise.ts";

const digest = "ab".repeat(48);

describe("the policy", () => {
  test("is strict by default, and cannot be changed in place", () => {
    expect(strictPolicy.azureVtpm).toEqual({ idKeyDigests: MICROSOFT_ID_KEYS, secureBoot: "require", console: "any" });
    expect(Object.isFrozen(strictPolicy.azureVtpm) && Object.isFrozen(strictPolicy.azureVtpm.idKeyDigests)).toBe(true);
    expect(Object.isFrozen(policyWith({ idKeyDigests: [digest] }).azureVtpm.idKeyDigests)).toBe(true);
  });

  const { azureVtpm: right } = strictPolicy;
  const bad: readonly (readonly [name: string, value: unknown, path: RegExp])[] = [
    ["nothing", undefined, /policy\.azureVtpm/],
    ["a list", [], /policy\.azureVtpm/],
    ["no rule for signers", { secureBoot: "require", console: "any" }, /azureVtpm\.idKeyDigests: missing/],
    ["an undefined rule", { ...right, secureBoot: undefined }, /azureVtpm\.secureBoot: missing/],
    ["no signer", { ...right, idKeyDigests: [] }, /idKeyDigests: expected a list that is not empty/],
    ["a signer twice", { ...right, idKeyDigests: [digest, digest] }, /without repetition/],
    ["a digest of 32 bytes", { ...right, idKeyDigests: ["ab".repeat(32)] }, /idKeyDigests\[0\]/],
    ["a digest in upper case", { ...right, idKeyDigests: [digest, "AB".repeat(48)] }, /idKeyDigests\[1\]/],
    ["a number for a digest", { ...right, idKeyDigests: [1] }, /idKeyDigests\[0\]/],
    ["another word", { ...right, idKeyDigests: "all" }, /idKeyDigests/],
    ["no word for Secure Boot", { ...right, secureBoot: true }, /secureBoot/],
    ["no word for the console", { ...right, console: "require" }, /console/],
    ["a rule that is not known", { ...right, minSvn: 1 }, /azureVtpm\.minSvn: unknown/],
  ];

  test.each(bad)("with %s is a TypeError", (_name, value, path) => {
    const read = (): unknown => readAppraisalPolicy({ ...strictPolicy, azureVtpm: value });
    expect(read).toThrow(TypeError);
    expect(read).toThrow(path);
  });
});

describe("the options", () => {
  const simulator = simulated({ root: pem(vendor.root.der) });
  const bad: readonly (readonly [name: string, options: unknown])[] = [
    ["nothing", undefined],
    ["null", null],
    ["no hardware", {}],
    ["an empty list", { hardware: [] }],
    ["no list", { hardware: sevSnp() }],
    ["one kind twice", { hardware: [sevSnp(), sevSnp()] }],
    ["the simulator", { hardware: [simulator] }],
    ["itself", { hardware: [azureVtpm({ hardware: [tdx()] })] }],
    ["null for hardware", { hardware: [null] }],
    ["a name for hardware", { hardware: ["sev-snp"] }],
    ["an option that is not known", { hardware: [tdx()], nonce: "" }],
  ];

  test.each(bad)("with %s are a TypeError", (_name, options) => {
    expect(() => azureVtpm(options as never)).toThrow(TypeError);
  });
});

describe("a tuple", () => {
  const pcrs: Readonly<Record<string, string>> = Object.fromEntries(
    Array.from({ length: 24 }, (_, at) => [`pcr${at}`, "00".repeat(32)]),
  );
  const exact = {
    measurement: digest,
    hostData: "00".repeat(32),
    policy: "000000000003001f",
    vmpl: "00000000",
    idKeyDigest: digest,
    ...pcrs,
  };
  const signed = {
    idKeyDigest: digest,
    familyId: "01".repeat(16),
    imageId: "02".repeat(16),
    guestSvn: "11",
    hostData: "00".repeat(32),
    policy: "000000000003001f",
    vmpl: "00000000",
    ...pcrs,
  };
  const make = (registers: object, hardware = [sevSnp(), tdx()]): unknown =>
    createVerifier({
      tees: [azureVtpm({ hardware })],
      referenceValues: [
        {
          tee: "azure-vtpm",
          registers: registers as ReferenceValues["registers"],
          manifest: sha256Text("manifest"),
          runtime: sha256Text("runtime"),
          release: "acme/transcriber 1.0.0",
        },
      ],
      policy: strictPolicy,
      now: () => new Date(),
    });

  test("may pin one paravisor, or all of a signer's from a version on", () => {
    expect(() => make(exact)).not.toThrow();
    expect(() => make(signed)).not.toThrow();
  });

  const withoutPcr = Object.fromEntries(Object.entries(exact).filter(([name]) => name !== "pcr10"));
  const { idKeyDigest: _signer, ...withoutSigner } = signed;
  const { measurement: _measurement, ...withoutMeasurement } = exact;
  const bad: readonly (readonly [name: string, registers: object])[] = [
    ["a PCR less", withoutPcr],
    ["a PCR more", { ...exact, pcr24: "00".repeat(32) }],
    ["a PCR of another bank", { ...exact, pcr4: "00".repeat(48) }],
    ["no signer and no measurement", withoutSigner],
    ["a signer and no version", withoutMeasurement],
    ["PCRs alone", pcrs],
    ["nothing", {}],
    ["a version in hex", { ...signed, guestSvn: "0x0b" }],
  ];

  test.each(bad)("with %s is a TypeError", (_name, registers) => {
    expect(() => make(registers)).toThrow(TypeError);
  });

  test("of hardware that is not passed in is a TypeError", () => {
    expect(() => make(exact, [tdx()])).toThrow(TypeError);
  });
});
