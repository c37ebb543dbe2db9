/** A caller's mistake is a TypeError that names the path; nothing that is left out is taken for permission. */
import { describe, expect, test } from "vitest";
import { createVerifier, simulated, strictPolicy, type Tee, type VerifierOptions } from "@blindbox/attestation";
import { exchange, reference, vendor } from "./box.ts";
import { certificate, pem, random } from "./vendor.ts";

const tee = simulated({ root: pem(vendor.root.der) });
const right: VerifierOptions = {
  tees: [tee],
  referenceValues: [reference],
  policy: strictPolicy,
  now: () => new Date(),
};
const hardware: Tee = { ...tee, kind: "sev-snp" };

type Wrong = Readonly<Record<string, unknown>>;
const created =
  (change: Wrong): (() => unknown) =>
  () =>
    createVerifier({ ...right, ...change });

describe("createVerifier refuses", () => {
  test.each(["tees", "referenceValues", "policy", "now"])("options without %s", (member) => {
    expect(created({ [member]: undefined })).toThrow(TypeError);
    expect(created({ [member]: undefined })).toThrow(`options.${member}: missing`);
  });

  const wrong: readonly (readonly [string, Wrong, string])[] = [
    ["an unknown option", { insecure: true }, "options.insecure: unknown"],
    ["no tee", { tees: [] }, "options.tees: expected a list that is not empty"],
    ["tees that are no list", { tees: tee }, "options.tees"],
    ["something that is no tee", { tees: [null] }, "options.tees[0]"],
    ["a tee of an unknown kind", { tees: [{ ...tee, kind: "sgx" }] }, "options.tees[0].kind"],
    ["a tee without registers", { tees: [{ ...tee, registers: {} }] }, "options.tees[0].registers"],
    ["a tee twice", { tees: [tee, tee] }, "options.tees: expected each kind of TEE once"],
    ["the simulator beside hardware", { tees: [hardware, tee] }, "options.tees: expected the simulator or hardware"],
    ["hardware beside the simulator", { tees: [tee, hardware] }, "options.tees: expected the simulator or hardware"],
    ["no Reference Values", { referenceValues: [] }, "referenceValues: expected a list that is not empty"],
    ["a clock that is no function", { now: new Date() }, "options.now"],
    [
      "Reference Values of other TEEs only",
      { referenceValues: [{ ...reference, tee: "tdx" }] },
      "a tuple for simulated",
    ],
    [
      "Reference Values of an unknown TEE",
      { referenceValues: [reference, { ...reference, tee: "sgx" }] },
      "referenceValues[1].tee",
    ],
  ];

  test.each(wrong)("%s", (_name, change, message) => {
    expect(created(change)).toThrow(TypeError);
    expect(created(change)).toThrow(message);
  });

  const tuples: readonly (readonly [string, Wrong, string])[] = [
    ["without registers", { registers: undefined }, "referenceValues[0].registers: missing"],
    ["with no register", { registers: {} }, "referenceValues[0].registers.measurement: missing"],
    [
      "with a register undefined",
      { registers: { measurement: undefined } },
      "referenceValues[0].registers.measurement: missing",
    ],
    [
      "with an unknown register",
      { registers: { ...reference.registers, pcr0: "00" } },
      "referenceValues[0].registers.pcr0: unknown",
    ],
    [
      "with an empty register",
      { registers: { measurement: "" } },
      "referenceValues[0].registers.measurement: expected 48 bytes",
    ],
    [
      "with a register of 47 bytes",
      { registers: { measurement: "ab".repeat(47) } },
      "referenceValues[0].registers.measurement",
    ],
    [
      "with a register in upper case",
      { registers: { measurement: "AB".repeat(48) } },
      "referenceValues[0].registers.measurement",
    ],
    [
      "with bytes for a register",
      { registers: { measurement: random(48) } },
      "referenceValues[0].registers.measurement",
    ],
    ["without Manifest", { manifest: undefined }, "referenceValues[0].manifest: missing"],
    ["with an empty Manifest", { manifest: "" }, "referenceValues[0].manifest"],
    ["with a Manifest of another form", { manifest: "ab".repeat(32) }, "referenceValues[0].manifest"],
    ["without runtime", { runtime: undefined }, "referenceValues[0].runtime: missing"],
    ["with a runtime that is null", { runtime: null }, "referenceValues[0].runtime"],
    ["without a label", { release: "" }, "referenceValues[0].release"],
    ["with an unknown member", { any: true }, "referenceValues[0].any: unknown"],
  ];

  test.each(tuples)("a tuple %s", (_name, change, message) => {
    expect(created({ referenceValues: [{ ...reference, ...change }] })).toThrow(TypeError);
    expect(created({ referenceValues: [{ ...reference, ...change }] })).toThrow(message);
  });
});

describe("a policy is refused", () => {
  test.each(Object.keys(strictPolicy))("without %s", (member) => {
    const { [member]: _gone, ...policy } = strictPolicy as unknown as Record<string, unknown>;
    expect(created({ policy })).toThrow(TypeError);
    expect(created({ policy })).toThrow(`policy.${member}: missing`);
    expect(created({ policy: { ...policy, [member]: undefined } })).toThrow(`policy.${member}: missing`);
    expect(created({ policy: { ...policy, [member]: null } })).toThrow(`policy.${member}`);
  });

  const wrong: readonly (readonly [string, Wrong, string])[] = [
    ["with an unknown member", { skipRevocation: true }, "policy.skipRevocation: unknown"],
    ["with a misspelt member", { maxClockskew: 1 }, "policy.maxClockskew: unknown"],
    ["with debug true", { debug: true }, "policy.debug"],
    ["with another binding", { minimumBinding: "tls-key" }, "policy.minimumBinding"],
    ["with a clock skew that is no number", { maxClockSkew: Number.NaN }, "policy.maxClockSkew"],
    ["with an unlimited clock skew", { maxClockSkew: Number.POSITIVE_INFINITY }, "policy.maxClockSkew"],
    ["with a clock skew below zero", { maxClockSkew: -1 }, "policy.maxClockSkew"],
    ["with no driver", { sandboxDrivers: [] }, "policy.sandboxDrivers"],
    ["with a driver of no name", { sandboxDrivers: [""] }, "policy.sandboxDrivers[0]"],
    ["with a text for drivers", { sandboxDrivers: "rooted" }, "policy.sandboxDrivers"],
    ["with no probe", { selfTestProbes: [] }, "policy.selfTestProbes"],
    ["with a probe twice", { selfTestProbes: ["udp", "udp"] }, "policy.selfTestProbes"],
    ["with an unlimited endorsement age", { maxEndorsementAge: Number.POSITIVE_INFINITY }, "policy.maxEndorsementAge"],
    ["with a CRL number that is no integer", { minCrlNumber: 1.5 }, "policy.minCrlNumber"],
    ["without the simulator's TCB floor", { simulated: {} }, "policy.simulated.minTcb: missing"],
    [
      "with an unknown member of the simulator's",
      { simulated: { minTcb: 1, any: 1 } },
      "policy.simulated.any: unknown",
    ],
  ];

  test.each(wrong)("%s", (_name, change, message) => {
    expect(created({ policy: { ...strictPolicy, ...change } })).toThrow(TypeError);
    expect(created({ policy: { ...strictPolicy, ...change } })).toThrow(message);
  });

  test("only as it was: what the caller changes afterwards changes nothing", async () => {
    const drivers = ["unprivileged"];
    const made = await exchange({ policy: { sandboxDrivers: drivers } });
    drivers.push("rooted");
    expect((await made.verify()).status).toBe("contraindicated");
  });
});

describe("simulated refuses", () => {
  const pemText = pem(vendor.root.der);
  const wrong: readonly (readonly [string, unknown])[] = [
    ["no options", undefined],
    ["no root", {}],
    ["a root that is undefined", { root: undefined }],
    ["a root that is null", { root: null }],
    ["an empty root", { root: "" }],
    ["an empty DER", { root: new Uint8Array() }],
    ["a root that is text", { root: "root" }],
    ["two roots", { root: pemText + pemText }],
    ["a root cut short", { root: vendor.root.der.subarray(0, -1) }],
    ["a root with a byte behind it", { root: Buffer.concat([vendor.root.der, Buffer.of(0)]) }],
    ["a private key", { root: "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n" }],
    ["an unknown option", { root: pemText, insecure: true }],
  ];

  test.each(wrong)("%s", (_name, options) => {
    expect(() => simulated(options as { root: string })).toThrow(TypeError);
  });

  test("nothing of the root that the caller changes afterwards", async () => {
    const root = Uint8Array.from(vendor.root.der);
    const tees = [simulated({ root })];
    root.set(certificate({ ...vendor.device, issuer: vendor.device }).subarray(0, 100));
    expect((await (await exchange({ tees })).verify()).status).toBe("warning");
  });
});

describe("verify refuses", () => {
  const exporter = random(32);
  const wrong: readonly (readonly [string, Wrong, string])[] = [
    ["no document", { document: undefined }, "input.document: missing"],
    ["a document that was parsed", { document: {} }, "input.document"],
    ["no nonce, unless it says null", { nonce: undefined }, "input.nonce: missing"],
    ["a nonce of 31 bytes", { nonce: random(31) }, "input.nonce: expected a Uint8Array of 32 bytes"],
    ["an empty nonce", { nonce: new Uint8Array() }, "input.nonce"],
    ["no channel", { channel: undefined }, "input.channel: missing"],
    ["a channel that is null", { channel: null }, "input.channel"],
    ["a channel of no mode", { channel: { exporter } }, "input.channel.binding"],
    ["an unknown mode", { channel: { binding: "tls-unique" } }, "input.channel.binding"],
    ["no exporter", { channel: { binding: "tls-exporter" } }, "input.channel.exporter: missing"],
    [
      "an exporter that is undefined",
      { channel: { binding: "tls-exporter", exporter: undefined } },
      "input.channel.exporter: missing",
    ],
    ["an exporter of zeros", { channel: { binding: "tls-exporter", exporter: new Uint8Array(32) } }, "not all zero"],
    [
      "an exporter of 20 bytes",
      { channel: { binding: "tls-exporter", exporter: random(20) } },
      "input.channel.exporter",
    ],
    ["mode none with an exporter", { channel: { binding: "none", exporter } }, "input.channel.exporter: unknown"],
    ["no peer key, unless it says null", { peerKey: undefined }, "input.peerKey: missing"],
    ["an empty peer key", { peerKey: { tlsSpki: new Uint8Array() } }, "input.peerKey.tlsSpki"],
    ["a peer key of no kind", { peerKey: {} }, "input.peerKey.tlsSpki: missing"],
    ["an unknown member", { insecure: true }, "input.insecure: unknown"],
  ];

  test.each(wrong)("%s", async (_name, change, message) => {
    const { input, verify } = await exchange();
    const asked = verify({ ...input, ...change });
    await expect(asked).rejects.toThrow(TypeError);
    await expect(asked).rejects.toThrow(message);
  });

  test("a clock that shows no time", async () => {
    const verifier = createVerifier({ ...right, now: () => new Date(Number.NaN) });
    await expect(verifier.verify((await exchange()).input)).rejects.toThrow("options.now()");
  });
});

test("no message shows a value that the caller passed", () => {
  expect(created({ now: "secret" })).toThrow(/^options\.now: expected a function that returns a Date$/);
  expect(() => simulated({ root: "secret" })).toThrow(/^simulated\.root: (?!.*secret)/);
});
