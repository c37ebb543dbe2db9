/** Nearly right Evidence, one thing wrong at a time: which check fails, in which step, and which error it makes. */
import { describe, expect, test } from "vitest";
import { errorFor, NotAnEnclaveError } from "@blindbox/attestation";
import { exchange, failedChecks, type Change } from "./box.ts";
import { authenticateRefusals } from "./cases/authenticate.ts";
import { boxRefusals } from "./cases/box.ts";
import { freshnessRefusals } from "./cases/freshness.ts";
import { bindingRefusals, measurementRefusals, platformRefusals } from "./cases/measurement.ts";
import { parseRefusals } from "./cases/parse.ts";
import { minted, otherDigest } from "./cases/refusals.ts";
import { revocationRefusals } from "./cases/revocation.ts";
import { basicConstraints, caUsage, mintVendor, NOW, random, unknownCritical, type VendorChange } from "./vendor.ts";

const refusals = [
  parseRefusals,
  authenticateRefusals,
  revocationRefusals,
  platformRefusals,
  measurementRefusals,
  bindingRefusals,
  freshnessRefusals,
  boxRefusals,
].flat();

describe("nearly right Evidence is refused:", () => {
  test.each(refusals)("$name", async ({ change, checks, step, error }) => {
    const result = await (await exchange(change)).verify();
    expect(failedChecks(result)).toEqual(checks);
    expect(result.status).toBe("contraindicated");
    const first = result.findings.find((finding) => finding.status === "failed");
    expect(first?.step).toBe(step);
    const thrown = errorFor(result);
    expect(thrown.constructor).toBe(error);
    expect(thrown.message).toContain(`${first?.check}: `);
    expect(thrown.findings).toBe(result.findings);
  });
});

test("every check that a right exchange passes has a case here in which it fails", async () => {
  const { findings } = await (await exchange()).verify();
  const covered = new Set(refusals.flatMap(({ checks }) => checks));
  const passing = new Set(findings.filter((finding) => finding.status === "passed").map((finding) => finding.check));
  expect([...passing].filter((check) => !covered.has(check))).toEqual([]);
});

test("Evidence that was right once is refused on every later connection", async () => {
  const first = await exchange();
  expect((await first.verify()).status).toBe("warning");
  const later = await exchange();
  const replayed = await later.verify({ ...later.input, document: first.input.document });
  expect(failedChecks(replayed)).toEqual(["challenge"]);
  const old = await exchange({ now: NOW + 600 });
  expect(failedChecks(await old.verify({ ...old.input, document: first.input.document }))).toEqual([
    "challenge",
    "clock",
  ]);
});

test("an expired root, or one that is no CA, is refused though it is the caller's own", async () => {
  const cases: readonly [VendorChange, string][] = [
    [{ root: { notAfter: NOW - 1 } }, "certificate-validity"],
    [{ root: { notBefore: NOW + 1 } }, "certificate-validity"],
    [{ root: { extensions: [basicConstraints(false), caUsage] } }, "certificate-authority"],
    [{ root: { extensions: [basicConstraints(true, 0), caUsage] } }, "certificate-authority"],
    [{ root: { extensions: [basicConstraints(true, 1), caUsage, unknownCritical] } }, "certificate-extensions"],
  ];
  for (const [change, check] of cases) {
    const own = mintVendor(change);
    const result = await (await exchange({ vendor: own, root: own.root.der })).verify();
    expect(failedChecks(result)).toEqual([check]);
  }
});

test("all that is wrong is told at once, in the order of the steps", async () => {
  const change: Change = {
    ...minted({ device: { notAfter: NOW - 86_400 } }),
    report: { debug: true, measurement: random(48) },
    statement: { time: 0, tls: otherDigest },
    document: (document) => ({ ...document, manifest: "other" }),
    policy: { sandboxDrivers: ["unprivileged"] },
  };
  const result = await (await exchange(change)).verify();
  expect(failedChecks(result)).toEqual([
    "certificate-validity",
    "debug",
    "reference-values",
    "clock",
    "tls-key",
    "manifest-digest",
    "sandbox-driver",
  ]);
  expect(errorFor(result)).toBeInstanceOf(NotAnEnclaveError);
});
