/** What the policy refuses of a genuine document, and how the policy is read. */
import { describe, expect, test } from "vitest";
import { strictPolicy, type NitroPolicy } from "@blindbox/attestation";
import { readNitroPolicy, strictNitroPolicy } from "../../src/nitro/policy.ts";
import { fakeTee, findingsOf, policyWith, refusals, asked } from "./appraise.ts";
import { mintAws, PCRS, pcrsWith } from "./vendor.ts";

const zero = new Uint8Array(48);
const hex = (byte: number): string => Buffer.alloc(48, byte).toString("hex");

describe("debug mode", () => {
  const zeroed: readonly (readonly number[])[] = [[0, 1, 2], [0], [1], [2], [0, 1], [1, 2], [0, 2]];
  const pcrsOf = (indices: readonly number[]): typeof PCRS =>
    pcrsWith(Object.fromEntries(indices.map((at) => [at, zero])));

  test.each(zeroed.map((indices) => [indices]))(
    "is seen by PCRs %j that are zero, though PCR3 and PCR4 are not",
    async (indices) => {
      const pcrs = new Map([...pcrsOf(indices), [3, new Uint8Array(48).fill(9)]]);
      expect(await refusals({ pcrs })).toEqual(["debug: debug-enabled"]);
      expect(fakeTee().parseEvidence(mintAws({ pcrs }).bytes).debug).toBe(true);
    },
  );

  test("is a warning where the policy allows it", async () => {
    expect(await refusals({ pcrs: pcrsOf([0, 1, 2]) }, { policy: { ...strictPolicy, debug: "allow" } })).toEqual([
      "debug warning",
    ]);
  });

  test("is named by the PCRs that are zero", async () => {
    const findings = await findingsOf(mintAws({ pcrs: pcrsOf([0, 2]) }).bytes);
    expect(findings.find(({ check }) => check === "debug")?.actual).toBe("PCR0, PCR2 zero");
  });

  test("is not seen in other PCRs that are zero, nor in a single bit", async () => {
    expect(await refusals({ pcrs: pcrsWith({ 3: zero, 4: zero, 8: zero }) })).toEqual([]);
    expect(
      await refusals({ pcrs: pcrsWith({ 0: zero.with(47, 1), 1: zero.with(0, 0x80), 2: zero.with(20, 1) }) }),
    ).toEqual([]);
  });
});

describe("what only others' documents have", () => {
  test.each([
    ["an empty nonce", { nonce: new Uint8Array() }, ["document-nonce: nonce-mismatch"]],
    ["a nonce", { nonce: new Uint8Array(32) }, ["document-nonce: nonce-mismatch"]],
    ["a public key", { publicKey: new Uint8Array(1) }, ["document-public-key: public-key-mismatch"]],
    [
      "both",
      { nonce: new Uint8Array(1), publicKey: new Uint8Array(1) },
      ["document-nonce: nonce-mismatch", "document-public-key: public-key-mismatch"],
    ],
  ])("%s is refused", async (_what, change, expected) => {
    expect(await refusals(change)).toEqual(expected);
  });
});

describe.each([
  ["instanceRoles", 3, "instance-role"],
  ["instances", 4, "instance"],
  ["imageSigners", 8, "image-signer"],
] as const)("the policy's %s", (member, index, check) => {
  const pcrs = pcrsWith({ [index]: new Uint8Array(48).fill(0xab) });
  const refusal = [`${check} pcr${index}: pcr-mismatch`];
  const under = (values: readonly string[]) => ({ policy: policyWith({ [member]: values }) });

  test("accepts what it lists, and nothing else", async () => {
    expect(await refusals({ pcrs }, under([hex(0xcd), hex(0xab)]))).toEqual([]);
    expect(await refusals({ pcrs }, under([hex(0xcd)]))).toEqual(refusal);
    expect(await refusals({ pcrs }, under([`${hex(0xab).slice(0, -2)}ac`]))).toEqual(refusal);
  });

  test("refuses a document that has no such PCR, unless any is accepted", async () => {
    const without = new Map([...PCRS].filter(([at]) => at !== index));
    expect(await refusals({ pcrs: without }, under([hex(0), hex(0xab)]))).toEqual(refusal);
    expect(await refusals({ pcrs: without })).toEqual([]);
  });

  test("has to say that zero is accepted", async () => {
    const none = pcrsWith({ [index]: zero });
    expect(await refusals({ pcrs: none }, under([hex(0xab)]))).toEqual(refusal);
    expect(await refusals({ pcrs: none }, under([hex(0)]))).toEqual([]);
  });
});

test("the policy is asked of the document that is appraised, whatever was accepted before", async () => {
  const { bytes } = mintAws();
  const question = asked({ policy: policyWith({ instances: [hex(1)] }) });
  expect((await findingsOf(bytes, question)).filter(({ status }) => status === "failed")).toHaveLength(1);
});

describe("reading the policy", () => {
  const strict: NitroPolicy = { ...strictNitroPolicy };

  test("gives a frozen copy of a complete one", () => {
    const read = readNitroPolicy({ ...strict, instances: [hex(1)] }, "policy.nitro");
    expect(read).toEqual({ maxDocumentAge: 300, instanceRoles: "any", instances: [hex(1)], imageSigners: "any" });
    expect([Object.isFrozen(read), Object.isFrozen(read.instances)]).toEqual([true, true]);
  });

  test.each(Object.keys(strictNitroPolicy))("refuses one without %s", (member) => {
    const { [member as keyof NitroPolicy]: _gone, ...rest } = strict;
    expect(() => readNitroPolicy(rest, "policy.nitro")).toThrow(`policy.nitro.${member}: missing`);
    expect(() => readNitroPolicy({ ...strict, [member]: undefined }, "policy.nitro")).toThrow(`policy.nitro.${member}`);
    expect(() => readNitroPolicy({ ...strict, [member]: null }, "policy.nitro")).toThrow(`policy.nitro.${member}`);
  });

  test.each([
    ["an unknown member", { pcr0: "any" }, "policy.nitro.pcr0"],
    ["a negative age", { maxDocumentAge: -1 }, "policy.nitro.maxDocumentAge"],
    ["an age that is not whole", { maxDocumentAge: 0.5 }, "policy.nitro.maxDocumentAge"],
    ["an age without an end", { maxDocumentAge: Number.POSITIVE_INFINITY }, "policy.nitro.maxDocumentAge"],
    ["an empty list", { instances: [] }, "policy.nitro.instances"],
    ["another word", { instances: "all" }, "policy.nitro.instances"],
    ["a value in capitals", { instances: [hex(0xab).toUpperCase()] }, "policy.nitro.instances[0]"],
    ["a value of 47 bytes", { imageSigners: [hex(1).slice(2)] }, "policy.nitro.imageSigners[0]"],
    ["a value twice", { instanceRoles: [hex(1), hex(1)] }, "policy.nitro.instanceRoles"],
    ["any in a list", { instanceRoles: ["any"] }, "policy.nitro.instanceRoles[0]"],
  ])("refuses %s", (_what, change, path) => {
    expect(() => readNitroPolicy({ ...strict, ...change }, "policy.nitro")).toThrow(TypeError);
    expect(() => readNitroPolicy({ ...strict, ...change }, "policy.nitro")).toThrow(`${path}:`);
  });
});
