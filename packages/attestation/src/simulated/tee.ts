/** The TEE `simulated`: structure, chain and code path of a real one; everything but the silicon. */
import { toHex } from "@blindbox/encoding";
import type { ParsedEvidence, Tee } from "../tee.ts";
import { rememberSignatures } from "../x509/index.ts";
import { appraiseReport } from "./appraisal.ts";
import { authenticateReport, type TrustAnchor } from "./endorsements.ts";
import { parseSimulatedReport } from "./evidence.ts";
import { readRoot } from "./roots.ts";

/** What {@link simulated} needs. */
export interface SimulatedOptions {
  /** The simulator's root certificate, as PEM text or DER bytes, from the machine on which it was made. */
  readonly root: string | Uint8Array;
}

/**
 * Accepts Evidence of the simulator whose root this is. It proves nothing of the machine, so the status is at most
 * `warning`. One Verifier holds the simulator or hardware, never both.
 *
 * @throws TypeError where `root` is missing or is not one certificate.
 * @example createVerifier({ tees: [simulated({ root: rootPem })], referenceValues, policy: strictPolicy, now })
 */
export function simulated(options: SimulatedOptions): Tee {
  const anchor: TrustAnchor = { root: readRoot(options), verifySignature: rememberSignatures() };
  return {
    kind: "simulated",
    tuples: [{ measurement: 48 }],
    requiredChecks: ["simulated-tee", "certificate-signature", "certificate-revocation", "chip-id", "tcb"],
    measurementRegister: "measurement",
    excusableRegisters: [],
    parseEvidence: (bytes) => readEvidence(bytes, anchor),
    boundForm: async (binding) => binding,
  };
}

function readEvidence(bytes: Uint8Array, anchor: TrustAnchor): ParsedEvidence {
  const report = parseSimulatedReport(bytes);
  return {
    registers: { measurement: toHex(report.measurement) },
    facts: { chipId: toHex(report.chipId) },
    tcb: String(report.tcb),
    debug: report.debug,
    bound: report.binding,
    authenticate: async (endorsements, policy, now) => ({
      findings: await authenticateReport(report, endorsements, anchor, policy, now),
      registers: {},
      facts: {},
    }),
    appraisePlatform: (policy) => appraiseReport(report, policy),
  };
}
