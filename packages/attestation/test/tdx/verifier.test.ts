/** A whole exchange with a box in a TD, through the Verifier: what it takes to be affirmed, and what each fault makes of it. */
import {
  bindingOf,
  createVerifier,
  DebugModeError,
  errorFor,
  formatEvidenceDocument,
  formatStatement,
  InvalidEnclaveCode,
  leafHash,
  NotAnEnclaveError,
  OutdatedPlatformError,
  RevokedEndorsementError,
  strictPolicy,
  type AppraisalPolicy,
  type AttestationResult,
} from "@blindbox/attestation";
import { merkleTree, type JsonValue } from "@blindbox/encoding";
import { expect, test } from "vitest";
import { failedChecks, manifest, runtime, selfTest, statementOf, tlsSpki } from "../box.ts";
import { NOW, random, sha256Text } from "../vendor.ts";
import { fakeTee } from "./appraise.ts";
import { hex, rightBody } from "./quote.ts";
import { mintEvidence, type IntelChange } from "./vendor.ts";

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const registers = {
  mrtd: toHex(rightBody.mrtd),
  rtmr0: toHex(rightBody.rtmrs.subarray(0, 48)),
  rtmr1: toHex(rightBody.rtmrs.subarray(48, 96)),
  rtmr2: toHex(rightBody.rtmrs.subarray(96, 144)),
  rtmr3: toHex(rightBody.rtmrs.subarray(144, 192)),
  mrconfigid: toHex(rightBody.mrconfigid),
  mrowner: toHex(rightBody.mrowner),
  mrownerconfig: toHex(rightBody.mrownerconfig),
  tdAttributes: toHex(rightBody.tdAttributes),
  xfam: toHex(rightBody.xfam),
};
const reference = { tee: "tdx", registers, manifest: sha256Text(manifest), runtime, release: "acme 1.0.0" } as const;

interface Exchange {
  readonly change?: IntelChange;
  readonly policy?: Partial<AppraisalPolicy>;
  readonly registers?: Readonly<Record<string, string>>;
  /** What the TD bound in the place of the Statement's Binding. */
  readonly bound?: Uint8Array;
  readonly endorsements?: JsonValue;
}

async function verify(exchange: Exchange = {}): Promise<AttestationResult> {
  const [nonce, exporter] = [random(32), random(32)];
  const tree = await merkleTree([random(32), await leafHash("tls-exporter", nonce, exporter)]);
  const statement = formatStatement({ ...statementOf(tree.root), tee: "tdx" });
  const reportData = exchange.bound ?? (await bindingOf(statement));
  const change = exchange.change ?? {};
  const { bytes, endorsements } = mintEvidence({ ...change, body: { reportData, ...change.body } });
  const document = formatEvidenceDocument({
    tee: "tdx",
    evidence: bytes,
    endorsements: exchange.endorsements ?? endorsements,
    statement,
    selfTest,
    proof: tree.proof(1),
    manifest,
    release: null,
  });
  const verifier = createVerifier({
    tees: [fakeTee],
    referenceValues: [{ ...reference, registers: { ...registers, ...exchange.registers } }],
    policy: { ...strictPolicy, ...exchange.policy },
    now: () => new Date(NOW * 1000),
  });
  return verifier.verify({ document, nonce, channel: { binding: "tls-exporter", exporter }, peerKey: { tlsSpki } });
}

test("a box in a genuine TD is affirmed, and everything is told of it", async () => {
  const result = await verify();
  expect(failedChecks(result)).toEqual([]);
  expect(result.status).toBe("affirming");
  expect(result.claims).toMatchObject({
    tee: "tdx",
    measurement: registers.mrtd,
    release: "acme 1.0.0",
    debug: false,
    facts: { tcbStatus: "UpToDate" },
  });
});

test.each(Object.keys(registers))("a TD whose %s differs is not the published one", async (register) => {
  const other = toHex(random(registers[register as keyof typeof registers].length / 2));
  const result = await verify({ registers: { [register]: other } });
  expect(failedChecks(result)).toEqual(["reference-values"]);
  expect(errorFor(result)).toBeInstanceOf(InvalidEnclaveCode);
});

test("a TD that bound only the first half of the Binding, or nothing, is refused", async () => {
  const whole = await verify({ bound: new Uint8Array(64) });
  expect(failedChecks(whole)).toEqual(["statement-binding"]);
  expect(whole.status).toBe("contraindicated");
});

test.each([
  ["no Endorsements of Intel's", { endorsements: emptyEndorsements() }, RevokedEndorsementError],
  ["a debug TD", { change: { body: { tdAttributes: hex("0100001000000000") } } }, DebugModeError],
  [
    "an outdated module",
    { change: { body: { teeTcbSvn: hex("04010800000000000000000000000000") } } },
    OutdatedPlatformError,
  ],
  ["a root of somebody else's", { change: { root: { serial: "02" } } }, NotAnEnclaveError],
  ["a revoked platform", { change: { pckCrl: { nextUpdate: NOW - 1 } } }, RevokedEndorsementError],
] as const)("%s makes its own error", async (_name, exchange, error) => {
  const result = await verify(exchange);
  expect(result.status).toBe("contraindicated");
  expect(errorFor(result)).toBeInstanceOf(error);
});

function emptyEndorsements(): JsonValue {
  return {
    pckCrl: null,
    pckCrlIssuerChain: null,
    qeIdentity: null,
    qeIdentityIssuerChain: null,
    rootCaCrl: null,
    tcbInfo: null,
    tcbInfoIssuerChain: null,
  };
}

const outdated = { body: { teeTcbSvn: hex("04010800000000000000000000000000") } };
const exception = {
  tee: "tdx",
  check: "tcb-status",
  subject: "OutOfDate",
  until: NOW + 60,
  reason: "the host is updated on Friday",
} as const;

test("an outdated TCB is a warning as long as an exception names it", async () => {
  expect((await verify({ change: outdated, policy: { exceptions: [exception] } })).status).toBe("warning");
  const ended = { ...exception, until: NOW };
  expect((await verify({ change: outdated, policy: { exceptions: [ended] } })).status).toBe("contraindicated");
});

test("no exception excuses a revoked TCB", async () => {
  const change: IntelChange = {
    qeIdentity: (right) => ({
      ...right,
      tcbLevels: right.tcbLevels.map((each) => ({ ...each, tcbStatus: "Revoked" })),
    }),
  };
  const result = await verify({ change, policy: { exceptions: [{ ...exception, subject: "Revoked" }] } });
  expect(failedChecks(result)).toEqual(["tcb-revocation"]);
  expect(result.status).toBe("contraindicated");
});
