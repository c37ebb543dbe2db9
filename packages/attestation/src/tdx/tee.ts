/** The TEE `tdx`: Intel Trust Domain Extensions. */
import { toHex } from "@blindbox/encoding";
import type { ParsedEvidence, Tee } from "../tee.ts";
import { trustAnchor, type TrustAnchor } from "./anchor.ts";
import { appraiseQuote, isUnderDebug } from "./appraisal.ts";
import { authenticateQuote } from "./endorsements.ts";
import { parseQuote } from "./evidence.ts";
import { factsOf, registersOf, TDX_TUPLE } from "./facts.ts";

/**
 * Accepts quotes of version 4 and 5 of TDX 1.0 and 1.5, under Intel's root. Everything that Intel says of the platform (both
 * CRLs, TCB info, QE identity, with their issuer chains) has to come beside the Evidence: what did not come refuses.
 *
 * @example createVerifier({ tees: [tdx()], referenceValues, policy: strictPolicy, now: () => new Date() })
 */
export function tdx(): Tee {
  return tdxUnder(trustAnchor());
}

/** The same under an anchor of the caller's. For tests and conformance cases alone: not exported from the package. */
export function tdxUnder(anchor: TrustAnchor): Tee {
  return {
    kind: "tdx",
    tuples: [TDX_TUPLE],
    requiredChecks,
    measurementRegister: "mrtd",
    // The firmware's configuration, which depends on the machine's shape; kernel and command line are in rtmr1 and rtmr2.
    excusableRegisters: ["rtmr0"],
    parseEvidence: (bytes) => readEvidence(bytes, anchor),
    boundForm: async (binding) => binding,
  };
}

/** Each is made of every quote whose Endorsements are complete: a result without one of them says nothing of that point. */
const requiredChecks: readonly string[] = [
  "pinned-root",
  "certificate-name",
  "certificate-issuer",
  "certificate-signature",
  "certificate-extensions",
  "certificate-authority",
  "certificate-use",
  "certificate-validity",
  "qe-report-signature",
  "attestation-key",
  "collateral-presence",
  "crl-issuer",
  "crl-signature",
  "crl-validity",
  "crl-number",
  "endorsement-age",
  "certificate-revocation",
  "collateral-root",
  "collateral-signer",
  "collateral-signature",
  "collateral-kind",
  "collateral-validity",
  "tcb-evaluation-number",
  "tcb-info-platform",
  "qe-identity",
  "tdx-module",
  "tcb-level",
  "tcb-revocation",
  "tcb-status",
  "td-under-debug",
  "td-attributes",
  "migratable",
  "sept-ve-disable",
  "xfam",
  "tdx-module-signer",
  "tcb",
  "service-td",
  "mrseam",
  "fmspc",
  "chip",
];

function readEvidence(bytes: Uint8Array, anchor: TrustAnchor): ParsedEvidence {
  const quote = parseQuote(bytes, anchor.readPckChain);
  const { sgx } = quote.pck;
  return {
    registers: registersOf(quote),
    facts: factsOf(quote),
    tcb: `teeTcbSvn ${toHex(quote.td.teeTcbSvn)}, pcesvn ${sgx.pceSvn}, fmspc ${sgx.fmspc}`,
    debug: isUnderDebug(quote.td),
    bound: quote.td.reportData,
    authenticate: (endorsements, policy, now) => authenticateQuote({ quote, anchor, policy, now }, endorsements),
    appraisePlatform: (policy) => appraiseQuote(quote, policy),
  };
}
