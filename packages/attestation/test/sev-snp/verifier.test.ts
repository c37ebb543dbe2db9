/** The whole way: a document with a report of the fake AMD, through the Verifier, to a status and an error. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import {
  createVerifier,
  DebugModeError,
  errorFor,
  InvalidEnclaveCode,
  NotAnEnclaveError,
  OutdatedPlatformError,
  RevokedEndorsementError,
  sevSnp,
  strictPolicy,
  type AppraisalPolicy,
  type AttestationResult,
  type MeasurementEndorser,
  type ReferenceValues,
  type Tee,
} from "@blindbox/attestation";
import { EncodingError } from "@blindbox/encoding";
import { sevSnpUnder } from "../../src/sev-snp/tee.ts";
import { exchange, failedChecks, manifest, reference, runtime } from "../box.ts";
import { NOW, revokedList, sha256Text } from "../vendor.ts";
import { fakeTee } from "./appraise.ts";
import { fakeRoots, mintEvidence, products, type AmdChange } from "./vendor.ts";

const registers = {
  measurement: "22".repeat(48),
  hostData: "33".repeat(32),
  policy: "0000000000030000",
  vmpl: "00000000",
};

const release: ReferenceValues = {
  tee: "sev-snp",
  registers,
  manifest: sha256Text(manifest),
  runtime,
  release: "acme/transcriber 1.0.0",
};

interface Setting {
  readonly change?: AmdChange;
  readonly policy?: Partial<AppraisalPolicy>;
  readonly referenceValues?: readonly ReferenceValues[];
  readonly tee?: Tee;
}

async function resultOf({
  change = {},
  policy,
  referenceValues = [release],
  tee = fakeTee(),
}: Setting): Promise<AttestationResult> {
  const whole = await exchange({
    tees: [tee],
    referenceValues,
    statement: { tee: "sev-snp" },
    document: (document) => {
      const reportData = new Uint8Array(createHash("sha512").update(document.statement).digest());
      const { bytes, endorsements } = mintEvidence({ ...change, report: { reportData, ...change.report } });
      return { ...document, tee: "sev-snp", evidence: bytes, endorsements };
    },
    ...(policy === undefined ? {} : { policy }),
  });
  return whole.verify();
}

test("a right exchange is affirmed, with everything that the report says", async () => {
  const result = await resultOf({});
  expect(failedChecks(result)).toEqual([]);
  expect(result).toMatchObject({ status: "affirming", tee: "sev-snp" });
  expect(result.claims).toMatchObject({
    measurement: registers.measurement,
    tcb: "04000000000018db",
    debug: false,
    release: "acme/transcriber 1.0.0",
    facts: { product: "milan", productName: "Milan", signingKey: "vcek" },
  });
});

const refusals: readonly (readonly [name: string, change: AmdChange, error: unknown, check: string])[] = [
  ["another measurement", { report: { measurement: new Uint8Array(48) } }, InvalidEnclaveCode, "reference-values"],
  ["other host data", { report: { hostData: new Uint8Array(32) } }, InvalidEnclaveCode, "reference-values"],
  ["another guest policy", { report: { policy: 0x130000n } }, InvalidEnclaveCode, "reference-values"],
  ["debug", { report: { policy: 0xb0000n } }, DebugModeError, "debug"],
  ["another level", { report: { vmpl: 1 } }, OutdatedPlatformError, "vmpl"],
  ["a revoked issuer", { crl: { revoked: revokedList("010001") } }, RevokedEndorsementError, "certificate-revocation"],
  ["no CRL", { endorsements: (all) => ({ ...all, crls: [] }) }, RevokedEndorsementError, "crl-presence"],
  ["another root", { root: { serial: "0100ff" } }, NotAnEnclaveError, "pinned-root"],
  [
    "a report for another Statement",
    { report: { reportData: new Uint8Array(64) } },
    expect.anything(),
    "statement-binding",
  ],
  ["an old TCB", { report: { launchTcb: [3, 0, 0, 0, 0, 0, 8, 0x73] } }, OutdatedPlatformError, "tcb"],
];

test.each(refusals)("%s is refused", async (_name, change, error, check) => {
  const result = await resultOf({ change });
  expect(result.status).toBe("contraindicated");
  expect(failedChecks(result)).toContain(check);
  if (typeof error === "function") expect(errorFor(result).constructor).toBe(error);
});

test("real AMD roots refuse the fake one, and the fake's evidence is no simulator's", async () => {
  const result = await resultOf({ tee: sevSnp() });
  expect(failedChecks(result)).toEqual(["pinned-root", "product-agreement"]);
  expect(errorFor(result)).toBeInstanceOf(NotAnEnclaveError);
});

test("an exception accepts one component of the TCB for a time, as a warning, and no other", async () => {
  const tcb = products.milan.tcb.with(7, 0xd5) as unknown as typeof products.milan.tcb;
  const change = { ek: { tcb }, report: { reportedTcb: tcb, committedTcb: tcb, launchTcb: tcb } };
  const exception = {
    tee: "sev-snp",
    check: "tcb",
    subject: "microcode",
    until: NOW + 60,
    reason: "the host is updated next week",
  } as const;
  expect((await resultOf({ change, policy: { exceptions: [exception] } })).status).toBe("warning");
  const other = { ...exception, subject: "snp" };
  expect((await resultOf({ change, policy: { exceptions: [other] } })).status).toBe("contraindicated");
  const ended = { ...exception, until: NOW };
  expect((await resultOf({ change, policy: { exceptions: [ended] } })).status).toBe("contraindicated");
});

test("an exception may excuse a platform feature, and neither origin nor order of the TCBs", async () => {
  const until = NOW + 60;
  const smt = {
    tee: "sev-snp",
    check: "platform-info",
    subject: "aliasCheckComplete",
    until,
    reason: "an old machine",
  } as const;
  const change = { report: { platformInfo: 5n } };
  expect((await resultOf({ change })).status).toBe("contraindicated");
  expect((await resultOf({ change, policy: { exceptions: [smt] } })).status).toBe("warning");
  const order = { tee: "sev-snp", check: "tcb-order", subject: "tcb-order", until, reason: "none" } as never;
  await expect(resultOf({ policy: { exceptions: [order] } })).rejects.toThrow(TypeError);
});

const shape = { uvmIssuer: "text", uvmFeed: "text", uvmSvn: "at-least", hostData: 32, policy: 8, vmpl: 4 } as const;

function endorserOf(svn: string, holds = true): MeasurementEndorser {
  return {
    shape,
    endorse: async (bytes, report, now) => {
      expect([bytes.length, report.version, now]).toEqual([3, 3, NOW]);
      const finding = {
        step: "authenticate",
        check: "measurement-endorsement",
        status: holds ? "passed" : "failed",
        expected: "",
        actual: "",
        reason: "",
        ...(holds ? {} : { code: "feed-mismatch" as const }),
      } as const;
      return {
        findings: [finding],
        registers: { uvmIssuer: "did:x509:a", uvmFeed: "ConfidentialVM", uvmSvn: svn, hostData: "00".repeat(32) },
        facts: { uvmFeed: "ConfidentialVM" },
      };
    },
  };
}

const { measurement: _measurement, ...beside } = registers;
const endorsed: ReferenceValues = {
  ...release,
  registers: { ...beside, uvmIssuer: "did:x509:a", uvmFeed: "ConfidentialVM", uvmSvn: "100" },
};
const withUvm: AmdChange = { endorsements: (all) => ({ ...all, uvm: "AAAA" }) };

test("an endorser's registers stand beside the report's own, and never in their place", async () => {
  const under = (svn: string, holds = true): Setting => ({
    change: withUvm,
    referenceValues: [endorsed],
    tee: sevSnpUnder(fakeRoots(), endorserOf(svn, holds)),
  });
  expect((await resultOf(under("100"))).status).toBe("affirming");
  expect((await resultOf(under("101"))).status).toBe("affirming");
  expect(failedChecks(await resultOf(under("99")))).toEqual(["reference-values"]);
  expect(failedChecks(await resultOf(under("100", false)))).toEqual(["measurement-endorsement"]);
});

function fault(error: Error): never {
  throw error;
}

test("an endorsement that its endorser cannot read is a refusal, and a fault of the endorser's is no verdict", async () => {
  const throwing = (error: Error): Tee => sevSnpUnder(fakeRoots(), { shape, endorse: async () => fault(error) });
  const unread = new EncodingError("bad-encoding", "uvm", "CBOR", "something else");
  const refused = await resultOf({ tee: throwing(unread), change: withUvm });
  expect(failedChecks(refused)).toEqual(["measurement-endorsement"]);
  await expect(resultOf({ tee: throwing(new RangeError("a fault")), change: withUvm })).rejects.toThrow("a fault");
});

test("without an endorsement its tuple is not met, and a tuple with the measurement is met with or without", async () => {
  const tee = sevSnpUnder(fakeRoots(), endorserOf("100"));
  expect(failedChecks(await resultOf({ referenceValues: [endorsed], tee }))).toEqual(["reference-values"]);
  expect((await resultOf({ tee })).status).toBe("affirming");
  expect((await resultOf({ tee, change: withUvm })).status).toBe("affirming");
});

test("a tuple must be complete in one shape, and an endorser's shape exists with an endorser alone", async () => {
  const { vmpl: _vmpl, ...incomplete } = registers;
  for (const bad of [incomplete, { ...registers, uvmSvn: "1" }, endorsed.registers]) {
    const make = (): unknown =>
      createVerifier({
        tees: [sevSnp()],
        referenceValues: [{ ...release, registers: bad }],
        policy: strictPolicy,
        now: () => new Date(),
      });
    expect(make).toThrow(TypeError);
  }
  expect(reference.tee).toBe("simulated");
});

test("options that are not what they have to be are a caller's mistake", () => {
  for (const options of [
    { more: 1 },
    { uvm: {} },
    { uvm: null },
    { uvm: { shape: {}, endorse: () => null } },
    { uvm: { shape, endorse: 1 } },
    null,
    1,
  ]) {
    expect(() => sevSnp(options as never)).toThrow(TypeError);
  }
  expect(sevSnp().tuples).toHaveLength(1);
  expect(sevSnp({ uvm: endorserOf("1") }).tuples).toHaveLength(2);
});
