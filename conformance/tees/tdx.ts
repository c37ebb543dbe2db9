/** Judges the cases of TDX: what a case says becomes Endorsements, a policy and, where it brings its own root, that root. */
import { strictPolicy, type AppraisalPolicy, type Finding, type Tee } from "@blindbox/attestation";
import { digest, fromUtf8, parsePem, toBase64url, toHex, type JsonValue } from "@blindbox/encoding";
import { trustAnchor } from "../../packages/attestation/src/tdx/anchor.ts";
import { tdxUnder } from "../../packages/attestation/src/tdx/tee.ts";
import { ACCEPTABLE_TCB_STATUSES } from "../../packages/attestation/src/tdx/tcb-status.ts";
import type { CaseEndorsements, CasePolicy, Judge, OpenCase } from "../case.ts";
import { judge } from "../judge.ts";

/** Judges one case. */
export const judgeTdx: Judge = async (opened) =>
  judge({
    tee: await tdxTee(opened),
    evidence: opened.bytes(opened.evidence["file"] ?? ""),
    endorsements: tdxEndorsements(opened.endorsements, opened.bytes),
    policy: tdxPolicy(opened.policy),
    now: opened.now,
    setAside: tdxSetAside(opened.policy),
    expected: opened.policy.expected ?? {},
    pinCodes: { qeVendorId: "qe-vendor-mismatch" },
  });

/** Under Intel's root, or under the case's own. */
export async function tdxTee({ policy, endorsements, bytes }: OpenCase): Promise<Tee> {
  if (policy.trustAnchor === undefined) return tdxUnder(trustAnchor());
  const [root] = parsePem(fromUtf8(bytes(endorsements.issuers?.at(-1) ?? "")), "CERTIFICATE");
  if (root === undefined) throw new Error("a case that brings its own root has to bring one");
  return tdxUnder(trustAnchor(toHex(await digest("SHA-256", root))));
}

/** The Endorsements of a case in the form of the product. */
export function tdxEndorsements({ collateral = {} }: CaseEndorsements, bytes: OpenCase["bytes"]): JsonValue {
  const part = (name: string, form: (bytes: Uint8Array) => string): string | null => {
    const path = collateral[name];
    return path === undefined ? null : form(bytes(path));
  };
  return {
    pckCrl: part("pckCrl", toBase64url),
    pckCrlIssuerChain: part("pckCrlIssuerChain", chainText),
    qeIdentity: part("qeIdentity", fromUtf8),
    qeIdentityIssuerChain: part("qeIdentityIssuerChain", chainText),
    rootCaCrl: part("rootCaCrl", toBase64url),
    tcbInfo: part("tcbInfo", fromUtf8),
    tcbInfoIssuerChain: part("tcbInfoIssuerChain", chainText),
  };
}

/** In PEM, or URL-encoded as in the header of Intel's answer. */
function chainText(bytes: Uint8Array): string {
  const text = fromUtf8(bytes);
  return text.includes("%") ? decodeURIComponent(text) : text;
}

const unlimited = Number.MAX_SAFE_INTEGER;

/** The policy of a case: the strict default of the cases, which pins nothing and demands no SEPT_VE_DISABLE. */
export function tdxPolicy(policy: CasePolicy): AppraisalPolicy {
  const { debug = "refuse", tcbStatus = ["UpToDate"], minTeeTcbSvn, minTcbEvaluationDataNumber = 0 } = policy;
  const ages = { intelRootCrl: unlimited, intelPckCrl: unlimited, tcbInfo: unlimited, qeIdentity: unlimited };
  return {
    ...strictPolicy,
    debug,
    maxEndorsementAge: { ...strictPolicy.maxEndorsementAge, ...ages },
    tdx: {
      ...strictPolicy.tdx,
      tcbStatuses: ACCEPTABLE_TCB_STATUSES.filter((status) => tcbStatus.includes(status)),
      minTcbEvaluationDataNumber,
      minTeeTcbSvn: minTeeTcbSvn ?? strictPolicy.tdx.minTeeTcbSvn,
      septVeDisable: "any",
      serviceTds: "any",
    },
  };
}

/**
 * Cases that judge authenticity alone bring nothing of what the product demands beside the quote, and the CRLs of synthetic
 * CAs have no number: the product refuses both.
 */
export function tdxSetAside({ collateral, trustAnchor }: CasePolicy): (finding: Finding) => boolean {
  const checks = [
    ...(collateral === "none" ? ["collateral-presence"] : []),
    ...(trustAnchor === "case" ? ["crl-number"] : []),
  ];
  return ({ check }) => checks.includes(check);
}
