/** What it takes to be affirming, and that nothing less ever is. Uses a TEE that stands for hardware. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  AttestationError,
  DebugModeError,
  errorFor,
  InvalidEnclaveCode,
  OutdatedReleaseError,
  simulated,
  StaleEvidenceError,
  UntrustedReleaseError,
  type AttestationResult,
  type Finding,
  type ParsedEvidence,
  type Step,
  type Tee,
} from "@blindbox/attestation";
import { exchange, failedChecks, reference, vendor, type Change } from "./box.ts";
import { pem } from "./vendor.ts";

const real = simulated({ root: pem(vendor.root.der) });

/** A TEE as it would be with real silicon: the simulator without its warning. */
function silicon(change: (evidence: ParsedEvidence) => Partial<ParsedEvidence> = () => ({})): Tee {
  const parseEvidence = (bytes: Uint8Array): ParsedEvidence => {
    const evidence = real.parseEvidence(bytes);
    const authenticate: ParsedEvidence["authenticate"] = async (...rest) => {
      const all = await evidence.authenticate(...rest);
      return { ...all, findings: all.findings.filter((finding) => finding.check !== "simulated-tee") };
    };
    const hardware = { ...evidence, authenticate };
    return { ...hardware, ...change(hardware) };
  };
  const requiredChecks = real.requiredChecks.filter((check) => check !== "simulated-tee");
  return { ...real, kind: "sev-snp", requiredChecks, parseEvidence };
}

const onSilicon = (tee: Tee, change: Change = {}): Change => ({
  tees: [tee],
  referenceValues: [{ ...reference, tee: "sev-snp" }],
  document: (document) => ({ ...document, tee: "sev-snp" }),
  ...change,
  statement: { tee: "sev-snp", ...change.statement },
});

async function statusOf(tee: Tee, change: Change = {}): Promise<AttestationResult["status"]> {
  return (await (await exchange(onSilicon(tee, change))).verify()).status;
}

describe("affirming", () => {
  test("is reached where every check passed", async () => {
    const result = await (await exchange(onSilicon(silicon()))).verify();
    expect(result.findings.filter((finding) => finding.status !== "passed")).toEqual([]);
    expect(result.status).toBe("affirming");
    expect(() => errorFor(result)).toThrow(TypeError);
  });

  test("is not reached without a nonce, nor without the peer's key", async () => {
    expect(await statusOf(silicon(), { input: (input) => ({ ...input, nonce: null }) })).toBe("warning");
    expect(await statusOf(silicon(), { input: (input) => ({ ...input, peerKey: null }) })).toBe("warning");
  });

  test("is not reached with debug mode, even where the policy allows it", async () => {
    expect(await statusOf(silicon(), { report: { debug: true }, policy: { debug: "allow" } })).toBe("warning");
  });

  test("is not reached by a TEE that says nothing of signature or debug mode", async () => {
    const nothing = { findings: [], registers: {}, facts: {} };
    expect(await statusOf(silicon(() => ({ authenticate: async () => nothing })))).toBe("contraindicated");
    expect(await statusOf(silicon(() => ({ appraisePlatform: () => [] })))).toBe("contraindicated");
  });

  test("is not reached by a TEE that leaves out one of the checks that it has to make", async () => {
    for (const left of silicon().requiredChecks) {
      const tee = silicon((evidence) => ({
        authenticate: async (...rest) => {
          const all = await evidence.authenticate(...rest);
          return { ...all, findings: all.findings.filter(({ check }) => check !== left) };
        },
        appraisePlatform: (policy) => evidence.appraisePlatform(policy).filter(({ check }) => check !== left),
      }));
      expect(await statusOf(tee)).toBe("contraindicated");
    }
  });

  test("is not reached by a TEE that skips, however it calls what it skips", async () => {
    const checks = ["evidence-signature", "tls-key", "challenge", "binding-level", "anything"];
    for (const check of checks) {
      const skip: Finding = { step: "platform", check, status: "skipped", expected: "x", actual: "x", reason: "x" };
      const tee = silicon((evidence) => ({
        appraisePlatform: (policy) => [...evidence.appraisePlatform(policy), skip],
      }));
      expect(await statusOf(tee)).toBe("contraindicated");
    }
  });

  test("is not reached by Evidence that lacks a register of the tuple", async () => {
    expect(await statusOf(silicon(() => ({ registers: {} })))).toBe("contraindicated");
    expect(await statusOf(silicon(() => ({ registers: { measurement: "" } })))).toBe("contraindicated");
  });

  test("is not reached with a Binding that is cut short or empty", async () => {
    expect(await statusOf(silicon(({ bound }) => ({ bound: bound.subarray(0, 32) })))).toBe("contraindicated");
    expect(await statusOf(silicon(() => ({ bound: new Uint8Array() })))).toBe("contraindicated");
  });
});

test("a kind of TEE that no accepted Release was measured for is refused", async () => {
  const tees = [silicon(), { ...silicon(), kind: "tdx" } as const];
  const result = await (
    await exchange(onSilicon(silicon(), { tees, referenceValues: [{ ...reference, tee: "tdx" }] }))
  ).verify();
  expect(failedChecks(result)).toEqual(["reference-values"]);
  expect(errorFor(result)).toBeInstanceOf(InvalidEnclaveCode);
});

test("simulated Evidence is refused where only hardware is accepted, in every disguise", async () => {
  const hardwareOnly = { tees: [silicon()], referenceValues: [{ ...reference, tee: "sev-snp" } as const] };
  const plain = await (await exchange(hardwareOnly)).verify();
  expect(plain.status).toBe("contraindicated");
  expect(errorFor(plain)).toMatchObject({ name: "NotAnEnclaveError", code: "not-an-enclave" });
  expect(errorFor(plain).hint).toContain("simulated({ root })");
  const disguised: Change = { ...hardwareOnly, document: (document) => ({ ...document, tee: "sev-snp" }) };
  const result = await (await exchange(disguised)).verify();
  expect(result.status).toBe("contraindicated");
  expect(result.findings.find((finding) => finding.status === "failed")?.check).toBe("statement-tee");
});

describe("an error", () => {
  const finding = (step: Step, check: string, status: Finding["status"], hint?: string): Finding => {
    const facts = { step, check, status, expected: "this", actual: "that", reason: "So it is." };
    return hint === undefined ? facts : { ...facts, hint };
  };
  const resultOf = (...findings: Finding[]): AttestationResult => ({
    status: "contraindicated",
    tee: null,
    claims: {} as AttestationResult["claims"],
    findings,
  });

  test("is named after the first step that failed, in whatever order the findings stand", () => {
    const result = resultOf(
      finding("release", "release-signature", "failed"),
      finding("freshness", "clock", "failed"),
      finding("measurement", "reference-values", "failed", "Look here."),
    );
    const error = errorFor(result);
    expect(error).toBeInstanceOf(InvalidEnclaveCode);
    expect(error).toBeInstanceOf(AttestationError);
    expect(error).toMatchObject({
      code: "invalid-enclave-code",
      hint: "Look here.",
      result,
      findings: result.findings,
    });
    expect(error.message).toBe("reference-values: So it is. Expected this; got that.");
  });

  test("is named after what failed before what was skipped, and after that before a warning", () => {
    const warning = finding("authenticate", "simulated-tee", "warning");
    const skip = finding("freshness", "clock", "skipped");
    const failed = finding("platform", "debug", "failed");
    expect(errorFor(resultOf(warning, skip, failed))).toBeInstanceOf(DebugModeError);
    expect(errorFor(resultOf(warning, skip))).toBeInstanceOf(StaleEvidenceError);
    expect(errorFor(resultOf(warning))).toMatchObject({ code: "not-an-enclave" });
  });

  test("of the client's own release findings is told apart", () => {
    expect(errorFor(resultOf(finding("release", "release-signature", "failed")))).toBeInstanceOf(UntrustedReleaseError);
    for (const check of ["release-sequence", "release-age", "release-revocation"]) {
      expect(errorFor(resultOf(finding("release", check, "failed")))).toBeInstanceOf(OutdatedReleaseError);
    }
  });
});

test("whatever a box answers, verify concludes and never throws", async () => {
  const { input, verify } = await exchange();
  const members = JSON.parse(String(input.document)) as Record<string, unknown>;
  const values = fc.oneof(fc.jsonValue({ noUnicodeString: false }), fc.constant(undefined), fc.integer());
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...Object.keys(members), "more"), values, async (member, value) => {
      const changed = JSON.stringify({ ...members, [member]: value });
      const { status } = await verify({ ...input, document: changed });
      // Nobody here looks at the release: the client does.
      expect(status === "contraindicated" || member === "release" || changed === input.document).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test("random bytes are refused", async () => {
  const { input, verify } = await exchange();
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string({ unit: "binary" }), fc.uint8Array()), async (document) => {
      expect((await verify({ ...input, document })).status).toBe("contraindicated");
    }),
  );
});

test("an answer that is no document still says of every required check that it was not made", async () => {
  const { input, verify } = await exchange();
  const right = await verify();
  const { findings, claims } = await verify({ ...input, document: "" });
  const said = new Set(findings.map((finding) => finding.step));
  expect(said).toEqual(new Set(right.findings.map((finding) => finding.step)));
  expect(findings.filter((finding) => finding.status === "passed").map((finding) => finding.check)).toEqual([
    "binding-level",
  ]);
  expect(findings.filter((finding) => finding.status === "failed").map((finding) => finding.check)).toEqual([
    "document-form",
  ]);
  expect(new Set(Object.values(claims))).toEqual(new Set([null]));
});
