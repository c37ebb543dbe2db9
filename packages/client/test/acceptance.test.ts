/** Which results data may be sent on: `affirming`, or a warning that the caller accepted in code. */
import {
  type AttestationResult,
  DebugModeError,
  type Finding,
  InvalidEnclaveCode,
  NotAnEnclaveError,
  SecurityPolicyError,
  simulated,
  strictPolicy,
  type Tee,
  UntrustedReleaseError,
} from "@blindbox/attestation";
import { toHex } from "@blindbox/encoding";
import type { Release } from "@blindbox/release";
import { beforeAll, describe, expect, test } from "vitest";
import { isAccepted, refusalOf, type SessionOptions } from "../src/index.ts";
import {
  type Attempt,
  attempt,
  evidenceFor,
  type Lies,
  makeRelease,
  makeWorld,
  secret,
  sendEvidence,
  sha256,
  type World,
} from "./fake-box/index.ts";

let world: World;
let hardware: Tee;
let hardwareRelease: Release;

beforeAll(async () => {
  world = await makeWorld();
  hardware = asHardware(simulated({ root: world.vendor.rootPem }));
  const { runtime, referenceValues } = world.release;
  hardwareRelease = {
    ...world.release,
    runtime: { ...runtime, tee: "sev-snp" },
    referenceValues: referenceValues.map((tuple) => ({ ...tuple, tee: "sev-snp" as const })),
  };
});

/** A stand-in for hardware: the simulator's report under another name, without the simulator's warning. */
function asHardware(tee: Tee): Tee {
  return {
    ...tee,
    kind: "sev-snp",
    requiredChecks: tee.requiredChecks.filter((check) => check !== "simulated-tee"),
    parseEvidence(bytes) {
      const evidence = tee.parseEvidence(bytes);
      return {
        ...evidence,
        async authenticate(endorsements, policy, now) {
          const all = await evidence.authenticate(endorsements, policy, now);
          return { ...all, findings: all.findings.filter((finding) => finding.check !== "simulated-tee") };
        },
      };
    },
  };
}

function on(box: World, lies: Lies, changes: Partial<SessionOptions>): Promise<Attempt> {
  const answer = async (asked: Parameters<typeof evidenceFor>[1]): Promise<void> =>
    sendEvidence(asked.socket, await evidenceFor(box, asked, lies));
  return attempt(world, { answer }, changes);
}

function onHardware(changes: Partial<SessionOptions> = {}, lies: Lies = {}): Promise<Attempt> {
  const box = { ...world, release: hardwareRelease };
  const asHardwareBox: Lies = {
    ...lies,
    statement: (truth) => ({ ...truth, tee: "sev-snp" }),
    document: (truth) => ({ ...truth, tee: "sev-snp" }),
  };
  return on(box, asHardwareBox, { tees: [hardware], release: hardwareRelease, ...changes });
}

describe("a Release without signature", () => {
  test("is not enough on hardware, and nothing is sent", async () => {
    const outcome = await onHardware();
    expect(outcome.error).toBeInstanceOf(UntrustedReleaseError);
    expect(outcome.error).toMatchObject({ code: "untrusted-release", result: { status: "warning" } });
    expect(outcome.received).toBe("");
  });

  test("is enough on hardware where the caller accepts it by name", async () => {
    const outcome = await onHardware({ accept: ["release-unsigned"] });
    expect(outcome.error).toBeNull();
    expect(outcome.received).toContain(secret);
  });

  test("is accepted with a simulated TEE, which is accepted by being passed in", async () => {
    expect((await on(world, {}, {})).error).toBeNull();
  });
});

describe("a TEE in debug mode", () => {
  const debug: Lies = { report: (truth) => ({ ...truth, debug: true }) };
  const policy = { ...strictPolicy, debug: "allow" } as const;

  test("that the policy allows is a warning that is not accepted by itself, and nothing is sent", async () => {
    const outcome = await on(world, debug, { policy });
    expect(outcome.error).toBeInstanceOf(DebugModeError);
    expect((outcome.error as DebugModeError).findings.length).toBeGreaterThan(20);
    expect((outcome.error as DebugModeError).result.status).toBe("warning");
    expect(outcome.received).toBe("");
  });

  test("is accepted where policy and caller both say so", async () => {
    expect((await on(world, debug, { policy, accept: ["debug"] })).error).toBeNull();
  });

  test("is not accepted where only the caller says so", async () => {
    const outcome = await on(world, debug, { accept: ["debug"] });
    expect(outcome.error).toBeInstanceOf(DebugModeError);
    expect(outcome.received).toBe("");
  });
});

describe("a simulator", () => {
  test("under a production policy is no enclave, and receives nothing", async () => {
    const outcome = await on(world, {}, { tees: [hardware], release: hardwareRelease, accept: ["release-unsigned"] });
    expect(outcome.error).toBeInstanceOf(NotAnEnclaveError);
    expect(outcome.failed).toContain("tee-kind");
    expect(outcome.received).toBe("");
  });

  test("that calls itself hardware is no enclave, and receives nothing", async () => {
    const lies: Lies = {
      statement: (truth) => ({ ...truth, tee: "sev-snp" }),
      document: (truth) => ({ ...truth, tee: "sev-snp" }),
    };
    const strict = asHardware(simulated({ root: (await makeWorld()).vendor.rootPem }));
    const outcome = await on(world, lies, { tees: [strict], release: hardwareRelease, accept: ["release-unsigned"] });
    expect(outcome.error).toBeInstanceOf(NotAnEnclaveError);
    expect(outcome.received).toBe("");
  });
});

describe("the Manifest that the caller requires", () => {
  test("is demanded even where a box runs an accepted Release with another one", async () => {
    const manifest = world.manifest.replace("transcriber", "leaky");
    const manifestDigest = await sha256(manifest);
    const release = await makeRelease(manifestDigest, toHex(world.measurement));
    const outcome = await on({ ...world, manifest, manifestDigest, release }, {}, { release });
    expect(outcome.error).toBeInstanceOf(SecurityPolicyError);
    expect(outcome.failed).toEqual(["manifest-required"]);
    expect(outcome.received).toBe("");
  });

  test("does not make up for a Release that is not accepted", async () => {
    const release = await makeRelease(world.manifestDigest, "00".repeat(48));
    const outcome = await on(world, {}, { release });
    expect(outcome.error).toBeInstanceOf(InvalidEnclaveCode);
    expect(outcome.failed).toEqual(["reference-values"]);
    expect(outcome.received).toBe("");
  });

  test("and measurement of two accepted Releases are never mixed", async () => {
    const others = [
      await makeRelease(world.manifestDigest, "00".repeat(48), "2.0.0"),
      await makeRelease(`sha256:${"0".repeat(64)}`, toHex(world.measurement), "3.0.0"),
    ];
    const outcome = await on(world, {}, { release: others });
    expect(outcome.error).toBeInstanceOf(InvalidEnclaveCode);
    expect(outcome.received).toBe("");
  });
});

describe("isAccepted", () => {
  const finding = (check: string, status: Finding["status"]): Finding => ({
    step: "platform",
    check,
    status,
    expected: "",
    actual: "",
    reason: "",
  });
  const result = (status: AttestationResult["status"], ...findings: Finding[]): AttestationResult =>
    ({ status, tee: null, claims: {}, findings }) as unknown as AttestationResult;

  test.each<[boolean, string, AttestationResult, "simulated" | "hardware"]>([
    [true, "affirming", result("affirming", finding("a", "passed")), "hardware"],
    [false, "contraindicated", result("contraindicated", finding("a", "passed")), "simulated"],
    [false, "a failed check under any status", result("affirming", finding("a", "failed")), "simulated"],
    [false, "a skipped check under any status", result("warning", finding("challenge", "skipped")), "simulated"],
    [
      false,
      "a failed check whose warning is accepted",
      result("warning", finding("simulated-tee", "failed")),
      "simulated",
    ],
    [false, "an unknown warning", result("warning", finding("a", "warning")), "simulated"],
    [true, "the simulator's warning", result("warning", finding("simulated-tee", "warning")), "simulated"],
    [false, "the simulator's warning on hardware", result("warning", finding("simulated-tee", "warning")), "hardware"],
    [false, "an unsigned Release on hardware", result("warning", finding("release-unsigned", "warning")), "hardware"],
  ])("is %s for %s", (accepted, _, attestation, kind) => {
    const tees = [kind === "simulated" ? world.tee : hardware];
    expect(isAccepted(attestation, { tees })).toBe(accepted);
  });

  test("and refusalOf agree, and the refusal names what was not accepted", () => {
    const good = result("affirming", finding("a", "passed"));
    const mixed = result("warning", finding("simulated-tee", "warning"), finding("debug", "warning"));
    expect(refusalOf(good, { tees: [hardware] })).toBeNull();
    expect(refusalOf(mixed, { tees: [world.tee] })).toMatchObject({ code: "debug-mode", result: mixed });
    expect(refusalOf(mixed, { tees: [world.tee], accept: ["debug"] })).toBeNull();
  });

  test("takes no TEE for a simulated one where there is none", () => {
    expect(isAccepted(result("warning", finding("simulated-tee", "warning")), { tees: [] })).toBe(false);
  });
});
