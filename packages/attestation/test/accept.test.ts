import { expect, test } from "vitest";
import { errorFor, SELF_TEST_PROBES, simulated, strictPolicy } from "@blindbox/attestation";
import { exchange, failedChecks, manifest, measurement, reference, runtime, tlsSpki, vendor } from "./box.ts";
import { mintVendor, NOW, sha256Text } from "./vendor.ts";

test("right Evidence of the simulator is a warning, and the only finding that did not pass says why", async () => {
  const result = await (await exchange()).verify();
  expect(failedChecks(result)).toEqual([]);
  expect(result.status).toBe("warning");
  expect(result.tee).toBe("simulated");
  const notPassed = result.findings.filter((finding) => finding.status !== "passed");
  expect(notPassed.map((finding) => [finding.step, finding.check, finding.status])).toEqual([
    ["authenticate", "simulated-tee", "warning"],
  ]);
  expect(notPassed[0]?.actual).toContain(sha256Text(vendor.root.der));
});

test("the claims say what was proven", async () => {
  const { claims } = await (await exchange()).verify();
  expect(claims).toEqual({
    tee: "simulated",
    registers: { measurement: Buffer.from(measurement).toString("hex") },
    facts: { chipId: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
    measurement: Buffer.from(measurement).toString("hex"),
    tcb: "1",
    debug: false,
    release: "acme/transcriber 1.0.0",
    manifest: sha256Text(manifest),
    runtime,
    sandboxDriver: "rooted",
    tls: sha256Text(tlsSpki),
    ledger: null,
    audit: null,
    time: NOW,
    binding: "tls-exporter",
  });
});

test("every step of the design has its findings, in its order", async () => {
  const { findings } = await (await exchange()).verify();
  expect([...new Set(findings.map((finding) => finding.step))]).toEqual([
    "parse",
    "authenticate",
    "platform",
    "measurement",
    "binding",
    "freshness",
    "channel",
    "manifest",
    "sandbox",
  ]);
  expect(findings.every((finding) => finding.reason !== "" && finding.expected !== "" && finding.actual !== "")).toBe(
    true,
  );
});

test("the root may be given as DER, and the document as bytes", async () => {
  const { input, verify } = await exchange({ tees: [simulated({ root: vendor.root.der })] });
  const result = await verify({ ...input, document: Buffer.from(String(input.document)) });
  expect(result.status).toBe("warning");
});

test("a GET carries no freshness: skipped checks say so, no level is claimed, and the status is not affirming", async () => {
  const { input, verify } = await exchange({ document: (document) => ({ ...document, proof: null }) });
  const result = await verify({ ...input, nonce: null });
  const skipped = result.findings.filter((finding) => finding.status === "skipped");
  expect(skipped.map((finding) => finding.check)).toEqual(["challenge", "binding-level"]);
  expect(result.status).toBe("warning");
  expect(result.claims.binding).toBeNull();
});

test("a runtime that shows no peer key gets a skipped check and no affirming", async () => {
  const { input, verify } = await exchange();
  const result = await verify({ ...input, peerKey: null });
  const skipped = result.findings.filter((finding) => finding.status === "skipped");
  expect(skipped.map((finding) => finding.check)).toEqual(["tls-key"]);
  expect(result.status).toBe("warning");
});

test("mode none is accepted where the policy says so, and the claims name that level", async () => {
  const result = await (await exchange({ mode: "none", policy: { minimumBinding: "none" } })).verify();
  expect(result.status).toBe("warning");
  expect(result.claims.binding).toBe("none");
});

test("debug mode that the policy allows is a warning of its own", async () => {
  const result = await (await exchange({ report: { debug: true }, policy: { debug: "allow" } })).verify();
  expect(result.status).toBe("warning");
  expect(result.findings.find((finding) => finding.check === "debug")?.status).toBe("warning");
  expect(result.claims.debug).toBe(true);
});

test("one of several Releases is found by its whole tuple", async () => {
  const other = { ...reference, registers: { measurement: "ab".repeat(48) }, release: "acme/transcriber 0.9.0" };
  const result = await (await exchange({ referenceValues: [other, reference] })).verify();
  expect(result.claims.release).toBe("acme/transcriber 1.0.0");
  expect(result.status).toBe("warning");
});

test("what lies on the very edge is accepted", async () => {
  const clock = await (await exchange({ statement: { time: NOW - strictPolicy.maxClockSkew } })).verify();
  expect(failedChecks(clock)).toEqual([]);
  const ahead = await (await exchange({ statement: { time: NOW + strictPolicy.maxClockSkew } })).verify();
  expect(failedChecks(ahead)).toEqual([]);
  for (const edge of [{ notBefore: NOW }, { notAfter: NOW }]) {
    const vendorAtEdge = mintVendor({ from: vendor, device: edge, rootCrl: { thisUpdate: NOW } });
    expect(failedChecks(await (await exchange({ vendor: vendorAtEdge })).verify())).toEqual([]);
  }
  const oldest = mintVendor({
    from: vendor,
    rootCrl: { thisUpdate: NOW - strictPolicy.maxEndorsementAge.simulatedCrl },
  });
  const policy = { minCrlNumber: { ...strictPolicy.minCrlNumber, simulated: 7 } }; // the number of both CRLs
  expect(failedChecks(await (await exchange({ vendor: oldest, policy })).verify())).toEqual([]);
  const last = NOW + 3600; // nextUpdate of both CRLs
  expect(failedChecks(await (await exchange({ now: last, statement: { time: last } })).verify())).toEqual([]);
});

test("an asker who does not accept a warning gets an error for it", async () => {
  const result = await (await exchange()).verify();
  expect(errorFor(result)).toMatchObject({
    name: "NotAnEnclaveError",
    code: "not-an-enclave",
    findings: result.findings,
  });
  const passed = result.findings.filter((finding) => finding.status === "passed");
  expect(() => errorFor({ ...result, findings: passed })).toThrow(TypeError);
});

test("the strict policy is frozen and demands every probe that there is", () => {
  expect(Object.isFrozen(strictPolicy) && Object.isFrozen(strictPolicy.selfTestProbes)).toBe(true);
  expect(strictPolicy.selfTestProbes).toEqual(SELF_TEST_PROBES);
  expect(strictPolicy).toMatchObject({ debug: "refuse", minimumBinding: "tls-exporter", maxClockSkew: 300 });
});
