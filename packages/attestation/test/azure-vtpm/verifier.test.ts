/** The whole way: a document with Evidence of the fake Azure, through the Verifier, to a status and an error. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  azureVtpm,
  ChannelBindingError,
  DebugModeError,
  errorFor,
  InvalidEnclaveCode,
  NotAnEnclaveError,
  OutdatedPlatformError,
  RevokedEndorsementError,
  sevSnp,
  tdx,
  type AppraisalPolicy,
  type AttestationResult,
  type ReferenceValues,
  type Tee,
} from "@blindbox/attestation";
import { exchange, failedChecks, manifest, runtime } from "../box.ts";
import { rightBody } from "../tdx/quote.ts";
import { NOW, revokedList, sha256Text } from "../vendor.ts";
import { rightPcrs } from "./tpm.ts";
import { fakeTee, mintEvidence, PARAVISOR, type AzureChange } from "./vendor.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const pcrs = Object.fromEntries(rightPcrs.map((pcr, at) => [`pcr${at}`, hex(pcr)]));
const launch = { hostData: "33".repeat(32), policy: "0000000000030000", vmpl: "00000000" };
const idKeyDigest = hex(PARAVISOR.idKeyDigest);

const shapes = {
  exact: { measurement: "22".repeat(48), idKeyDigest, ...launch, ...pcrs },
  signed: { idKeyDigest, familyId: "00".repeat(16), imageId: "00".repeat(16), guestSvn: "65547", ...launch, ...pcrs },
  td: {
    mrtd: hex(rightBody.mrtd),
    rtmr0: hex(rightBody.rtmrs.subarray(0, 48)),
    rtmr1: hex(rightBody.rtmrs.subarray(48, 96)),
    rtmr2: hex(rightBody.rtmrs.subarray(96, 144)),
    rtmr3: hex(rightBody.rtmrs.subarray(144)),
    mrconfigid: hex(rightBody.mrconfigid),
    mrowner: hex(rightBody.mrowner),
    mrownerconfig: hex(rightBody.mrownerconfig),
    tdAttributes: hex(rightBody.tdAttributes),
    xfam: hex(rightBody.xfam),
    ...pcrs,
  },
};

function release(registers: Readonly<Record<string, string>>, name = "1.0.0"): ReferenceValues {
  return { tee: "azure-vtpm", registers, manifest: sha256Text(manifest), runtime, release: `acme/transcriber ${name}` };
}

interface Setting {
  readonly change?: AzureChange;
  readonly policy?: Partial<AppraisalPolicy>;
  readonly referenceValues?: readonly ReferenceValues[];
  readonly tee?: Tee;
}

async function resultOf({
  change = {},
  policy,
  referenceValues,
  tee = fakeTee(),
}: Setting): Promise<AttestationResult> {
  const whole = await exchange({
    tees: [tee],
    referenceValues: referenceValues ?? [release(change.on === "tdx" ? shapes.td : shapes.exact)],
    statement: { tee: "azure-vtpm" },
    document: (document) => {
      const binding = createHash("sha512").update(document.statement).digest();
      const extraData = new Uint8Array(createHash("sha256").update(binding).digest());
      const { bytes, endorsements } = mintEvidence({ extraData, ...change });
      return { ...document, tee: "azure-vtpm", evidence: bytes, endorsements };
    },
    ...(policy === undefined ? {} : { policy }),
  });
  return whole.verify();
}

const settings: readonly (readonly [name: string, setting: Setting])[] = [
  ["SEV-SNP, pinned exactly", {}],
  ["SEV-SNP, of a signer", { referenceValues: [release(shapes.signed)] }],
  [
    "SEV-SNP, of a signer from an older version on",
    { referenceValues: [release({ ...shapes.signed, guestSvn: "11" })] },
  ],
  ["TDX", { change: { on: "tdx" } }],
  ["TDX 1.5", { change: { on: "tdx", intel: { form: "v5-1.5" } } }],
];

test.each(settings)("a right exchange on %s is affirmed", async (_name, setting) => {
  const result = await resultOf(setting);
  expect(failedChecks(result)).toEqual([]);
  expect(result).toMatchObject({ status: "affirming", tee: "azure-vtpm" });
  expect(result.claims).toMatchObject({
    measurement: hex(rightPcrs[4] ?? new Uint8Array()),
    debug: false,
    release: "acme/transcriber 1.0.0",
  });
});

const refusals: readonly (readonly [name: string, change: AzureChange, error: unknown, check: string])[] = [
  [
    "a boot loader of another's",
    { quotedPcrs: rightPcrs.with(4, new Uint8Array(32)), pcrs: (all) => all.with(4, "00".repeat(32)) },
    InvalidEnclaveCode,
    "reference-values",
  ],
  [
    "a PCR that was not quoted",
    { banks: [{ pcrs: Array.from({ length: 23 }, (_, at) => at) }] },
    InvalidEnclaveCode,
    "reference-values",
  ],
  [
    "another paravisor",
    { amd: { report: { measurement: new Uint8Array(48) } } },
    InvalidEnclaveCode,
    "reference-values",
  ],
  [
    "another TD",
    { on: "tdx", intel: { body: { mrtd: new Uint8Array(48) } }, tdReport: { mrtd: new Uint8Array(48) } },
    InvalidEnclaveCode,
    "reference-values",
  ],
  ["a quote for another Statement", { extraData: new Uint8Array(32) }, ChannelBindingError, "statement-binding"],
  ["no nonce", { extraData: new Uint8Array() }, ChannelBindingError, "statement-binding"],
  ["a forged quote", { signature: () => new Uint8Array(256) }, NotAnEnclaveError, "tpm-quote-signature"],
  ["a malformed document", { bytes: () => new Uint8Array() }, NotAnEnclaveError, "evidence-form"],
  ["debug", { amd: { report: { policy: 0xb0000n } } }, DebugModeError, "debug"],
  [
    "no Secure Boot",
    { runtimeData: (right) => ({ ...right, "vm-configuration": {} }) },
    OutdatedPlatformError,
    "secure-boot",
  ],
  [
    "a revoked issuer",
    { amd: { crl: { revoked: revokedList("010001") } } },
    RevokedEndorsementError,
    "certificate-revocation",
  ],
  ["an old TCB", { amd: { report: { launchTcb: [3, 0, 0, 0, 0, 0, 8, 0x73] } } }, OutdatedPlatformError, "tcb"],
  [
    "somebody else's paravisor",
    { amd: { report: { idKeyDigest: new Uint8Array(48).fill(1) } } },
    NotAnEnclaveError,
    "hcl-id-key",
  ],
];

test.each(refusals)("%s is refused", async (_name, change, error, check) => {
  const result = await resultOf({ change });
  expect(result.status).toBe("contraindicated");
  expect(failedChecks(result)).toContain(check);
  expect(errorFor(result).constructor).toBe(error);
});

test("a nonce that only begins with the Binding's digest is another nonce", async () => {
  const whole = await exchange({
    tees: [fakeTee()],
    referenceValues: [release(shapes.exact)],
    statement: { tee: "azure-vtpm" },
    document: (document) => {
      const binding = createHash("sha512").update(document.statement).digest();
      const digest = createHash("sha256").update(binding).digest();
      const extraData = new Uint8Array([...digest, 0]);
      return { ...document, tee: "azure-vtpm", ...evidenceOf(mintEvidence({ extraData })) };
    },
  });
  expect(failedChecks(await whole.verify())).toEqual(["statement-binding"]);
});

test("the Binding itself in the place of its digest is refused", async () => {
  const whole = await exchange({
    tees: [fakeTee()],
    referenceValues: [release(shapes.exact)],
    statement: { tee: "azure-vtpm" },
    document: (document) => {
      const extraData = new Uint8Array(createHash("sha512").update(document.statement).digest());
      return { ...document, tee: "azure-vtpm", ...evidenceOf(mintEvidence({ extraData })) };
    },
  });
  expect(failedChecks(await whole.verify())).toEqual(["statement-binding"]);
});

function evidenceOf({ bytes, endorsements }: ReturnType<typeof mintEvidence>) {
  return { evidence: bytes, endorsements };
}

describe("a tuple of a signer", () => {
  test("refuses an older paravisor, one of another line, and one of another signer", async () => {
    for (const registers of [
      { ...shapes.signed, guestSvn: "65548" },
      { ...shapes.signed, familyId: "01".repeat(16) },
      { ...shapes.signed, idKeyDigest: "ab".repeat(48) },
    ]) {
      expect(failedChecks(await resultOf({ referenceValues: [release(registers)] }))).toEqual(["reference-values"]);
    }
  });

  test("is not met by a launch that nobody signed, whatever the policy accepts", async () => {
    const unsigned = { ...shapes.signed, idKeyDigest: "00".repeat(48), guestSvn: "0" };
    const change = { amd: { report: { idKeyDigest: new Uint8Array(48) } } };
    const azureVtpmPolicy = { idKeyDigests: "any", secureBoot: "require", console: "any" } as const;
    const setting = { change, referenceValues: [release(unsigned)], policy: { azureVtpm: azureVtpmPolicy } };
    expect(failedChecks(await resultOf(setting))).toEqual(["reference-values"]);
  });
});

test("registers of two releases never mix", async () => {
  const other = { ...shapes.exact, pcr4: "00".repeat(32), pcr11: "11".repeat(32) };
  const quotedPcrs = rightPcrs.with(4, new Uint8Array(32));
  const change: AzureChange = { quotedPcrs, pcrs: (all) => all.with(4, "00".repeat(32)) };
  const result = await resultOf({ change, referenceValues: [release(shapes.exact), release(other, "2.0.0")] });
  expect(failedChecks(result)).toEqual(["reference-values"]);
});

test("an exception names one PCR that cannot be predicted, for a time, as a warning", async () => {
  const quotedPcrs = rightPcrs.with(10, new Uint8Array(32));
  const change: AzureChange = { quotedPcrs, pcrs: (all) => all.with(10, "00".repeat(32)) };
  const exception = {
    tee: "azure-vtpm",
    check: "reference-values",
    subject: "pcr10",
    until: NOW + 60,
    reason: "measured files",
  } as const;
  expect((await resultOf({ change })).status).toBe("contraindicated");
  expect((await resultOf({ change, policy: { exceptions: [exception] } })).status).toBe("warning");
  const other = { ...exception, subject: "pcr5" };
  expect((await resultOf({ change, policy: { exceptions: [other] } })).status).toBe("contraindicated");
});

test("real roots refuse the fakes, on either hardware", async () => {
  const tee = azureVtpm({ hardware: [sevSnp(), tdx()] });
  for (const on of ["snp", "tdx"] as const) {
    const result = await resultOf({ change: { on }, tee });
    expect(failedChecks(result)[0]).toBe("pinned-root");
    expect(errorFor(result)).toBeInstanceOf(NotAnEnclaveError);
  }
});
