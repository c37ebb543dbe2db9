/** Microsoft's word on the utility VMs of Azure container instances, for {@link sevSnp}. */
import type { MeasurementEndorser } from "../sev-snp/index.ts";
import type { Authentication, TupleShape } from "../tee.ts";
import { rememberSignatures, verifyRawSignature } from "../x509/index.ts";
import { verifyEndorsement, type Trust } from "./endorsements.ts";
import { parseUvmEndorsement } from "./evidence.ts";
import { uvmIssuers, type PinnedIssuer } from "./roots.ts";

/**
 * Accepts Microsoft's endorsements of the utility VM in which Azure runs confidential containers. A tuple of Reference Values
 * then names `uvmIssuer`, `uvmFeed`, `uvmSvn` (the lowest that is accepted) and `hostData` (SHA-256 of the policy that is
 * given to Azure as ccePolicy) in the place of the measurement, which changes with each utility VM of Microsoft's.
 *
 * @example createVerifier({ tees: [sevSnp({ uvm: azureUvm() })], referenceValues, policy: strictPolicy, now: () => new Date() })
 */
export function azureUvm(): MeasurementEndorser {
  return azureUvmUnder(uvmIssuers);
}

/** The same for other issuers: for fake vendors. Not part of the package's interface. */
export function azureUvmUnder(issuers: readonly PinnedIssuer[]): MeasurementEndorser {
  const trust: Trust = {
    issuers,
    verifySignature: rememberSignatures(),
    verifyEndorsement: rememberSignatures(verifyRawSignature),
  };
  return { shape, endorse: (bytes, report, now) => endorse(bytes, report.measurement, trust, now) };
}

const shape: TupleShape = { uvmIssuer: "text", uvmFeed: "text", uvmSvn: "at-least", hostData: 32 };

async function endorse(bytes: Uint8Array, measurement: Uint8Array, trust: Trust, now: number): Promise<Authentication> {
  const endorsement = parseUvmEndorsement(bytes);
  const { issuer, feed, svn, signingTime } = endorsement;
  return {
    findings: await verifyEndorsement(endorsement, measurement, trust, now),
    registers: { uvmIssuer: issuer, uvmFeed: feed, uvmSvn: String(svn) },
    facts: { uvmIssuer: issuer, uvmFeed: feed, uvmSvn: svn, uvmSigningTime: signingTime },
  };
}
