/** The TEE `sev-snp`: AMD SEV-SNP on Milan, Genoa (Bergamo and Siena too) and Turin. */
import { toHex } from "@blindbox/encoding";
import { exactMembers, wrong } from "../arguments.ts";
import type { ParsedEvidence, Tee, TupleShape } from "../tee.ts";
import { rememberSignatures, verifyRawSignature } from "../x509/index.ts";
import { appraiseReport } from "./appraisal.ts";
import { guestPolicyOf } from "./bits.ts";
import { authenticateReport, type Trust } from "./endorsements.ts";
import { parseSevSnpReport } from "./evidence.ts";
import { factsOf, registersOf } from "./facts.ts";
import { rememberEndorsements } from "./known-certificates.ts";
import type { MeasurementEndorser } from "./measurement-endorser.ts";
import { amdRoots, type PinnedRoot } from "./roots.ts";

/** What {@link sevSnp} may be given. */
export interface SevSnpOptions {
  /** Whose word on measurements is accepted. Left out: nobody's, and Endorsements that bring one are refused. */
  readonly uvm?: MeasurementEndorser;
}

/**
 * Accepts reports of AMD SEV-SNP, versions 2 to 5, under AMD's own roots. A tuple of Reference Values names `measurement`,
 * `hostData`, `policy` (16 hex digits) and `vmpl` (8 hex digits). Makes no request: certificates and CRL come as Endorsements.
 *
 * @throws TypeError where an option is unknown or not what it has to be.
 * @example createVerifier({ tees: [sevSnp()], referenceValues, policy: strictPolicy, now: () => new Date() })
 */
export function sevSnp(options: SevSnpOptions = {}): Tee {
  return sevSnpUnder(amdRoots, readEndorser(options));
}

/** The same under other roots: for fake vendors. Not part of the package's interface. */
export function sevSnpUnder(roots: readonly PinnedRoot[], uvm: MeasurementEndorser | null): Tee {
  const trust: Trust = {
    roots,
    reading: rememberEndorsements(),
    verifySignature: rememberSignatures(),
    verifyReport: rememberSignatures(verifyRawSignature),
    uvm,
  };
  return {
    kind: "sev-snp",
    tuples: [measured, ...(uvm === null ? [] : [uvm.shape])],
    requiredChecks,
    measurementRegister: "measurement",
    excusableRegisters: [],
    parseEvidence: (bytes) => readEvidence(bytes, trust),
    boundForm: async (binding) => binding,
  };
}

const measured: TupleShape = { measurement: 48, hostData: 32, policy: 8, vmpl: 4 };

const requiredChecks: readonly string[] = [
  "signing-key",
  "pinned-root",
  "certificate-issuer",
  "certificate-signature",
  "certificate-extensions",
  "certificate-authority",
  "certificate-use",
  "certificate-validity",
  "crl-issuer",
  "crl-signature",
  "crl-validity",
  "endorsement-age",
  "crl-number",
  "certificate-revocation",
  "endorsement-key",
  "product-agreement",
  "tcb-layout",
  "endorsement-key-tcb",
  "chip-id",
  "product",
  "tcb",
  "tcb-order",
  "guest-policy-form",
  "migration-agent",
  "vmpl",
  "guest-abi",
  "platform-info",
  "endorsement-key-kind",
  "chip",
  "id-key",
  "author-key",
];

function readEndorser(options: SevSnpOptions): MeasurementEndorser | null {
  const given = Object.hasOwn(options, "uvm");
  const { uvm } = exactMembers(options, "sevSnp", given ? ["uvm"] : []);
  if (!given) return null;
  const { shape, endorse } = exactMembers(uvm, "sevSnp.uvm", ["shape", "endorse"]);
  if (typeof endorse !== "function") wrong("sevSnp.uvm.endorse", "a function");
  if (typeof shape !== "object" || shape === null || Object.keys(shape).length === 0) {
    wrong("sevSnp.uvm.shape", "registers by name");
  }
  return uvm as MeasurementEndorser;
}

function readEvidence(bytes: Uint8Array, trust: Trust): ParsedEvidence {
  const report = parseSevSnpReport(bytes);
  return {
    registers: registersOf(report),
    facts: factsOf(report),
    tcb: toHex(report.reportedTcb),
    debug: guestPolicyOf(report.policy).debug,
    bound: report.reportData,
    authenticate: (endorsements, policy, now) => authenticateReport(report, endorsements, trust, policy, now),
    appraisePlatform: (policy) => appraiseReport(report, policy),
  };
}
