/** Explanations of what Intel publishes beside a quote, and of the quoting enclave that it is compared with. */
import type { Explanations } from "./types.ts";

const pcs = "Intel PCS API v4";
const dcap = "Intel DCAP, quote format";

export const intelExplanations: Explanations = {
  "qe-report-signature": ["The certified key of the platform signed the report of the quoting enclave.", dcap],
  "attestation-key": [
    "The quoting enclave vouches for the key that signed the quote: otherwise anybody's key could.",
    dcap,
  ],
  "collateral-presence": ["What Intel says of the platform is there: leaving it out must not help.", pcs],
  "collateral-root": ["Its signer's chain ends at the same pinned root.", pcs],
  "collateral-signer": [
    "It was signed by the certificate that Intel signs such texts with, and by no other of its tree.",
    pcs,
  ],
  "collateral-signature": ["Intel signed exactly this text, byte by byte.", pcs],
  "collateral-kind": ["The text is the one for TDX, of the version that is understood.", pcs],
  "collateral-validity": ["A text past its date hides what was found out since.", pcs],
  "tcb-evaluation-number": [
    "A host could show an older list that is not expired yet, from before a fix.",
    `${pcs}: tcbEvaluationDataNumber`,
  ],
  "tcb-info-platform": ["The TCB info is the one of this family of platforms.", `${pcs}: fmspc, pceId`],
  "qe-identity": [
    "The quoting enclave is the one that Intel names, and a current build of it.",
    `${pcs}: TD QE identity`,
  ],
  "tdx-module": ["The TDX module is one that Intel names.", `${pcs}: tdxModuleIdentities`],
  "tcb-level": ["There is a level of Intel's that this platform reaches in every component.", `${pcs}: tcbLevels`],
  "tcb-revocation": ["Intel did not withdraw this level: that can be excused by nothing.", `${pcs}: tcbStatus`],
  "tcb-status": [
    "What Intel says of platform, module and quoting enclave together; advisories name what is open.",
    `${pcs}: tcbStatus, advisoryIDs`,
  ],
};
