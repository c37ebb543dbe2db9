/** What is revoked, or not shown not to be (step 2). */
import { NotAnEnclaveError, RevokedEndorsementError, strictPolicy } from "@blindbox/attestation";
import { vendor } from "../box.ts";
import { name, set } from "../der.ts";
import {
  algorithmOf,
  basicConstraints,
  certSignOnly,
  crlNumber,
  NOW,
  revokedList,
  SERIALS,
  unknownCritical,
  unknownNotCritical,
} from "../vendor.ts";
import { foreign, minted, refusals, type Refusal } from "./refusals.ts";

export const revocationRefusals: readonly Refusal[] = [
  refusals("authenticate", RevokedEndorsementError, ["crl-presence"], {
    "no CRL at all": { endorsements: (chain) => ({ chain, crls: [] }) },
    "no CRL of the intermediate": { endorsements: (chain, crls) => ({ chain, crls: crls.slice(0, 1) }) },
  }),
  refusals("authenticate", RevokedEndorsementError, ["crl-issuer", "crl-signature"], {
    "the CRLs in the other order": { endorsements: (chain, crls) => ({ chain, crls: crls.toReversed() }) },
  }),
  refusals("authenticate", RevokedEndorsementError, ["crl-signature"], {
    "a CRL of a CA of the same name": { vendor: { ...vendor, intermediateCrl: foreign.intermediateCrl } },
    "a CRL with an unknown critical extension (a delta)": minted({
      rootCrl: { extensions: [crlNumber(7), unknownCritical] },
    }),
    "an issuer that may not sign CRLs": minted({
      intermediate: { extensions: [basicConstraints(true, 0), certSignOnly] },
    }),
  }),
  refusals("authenticate", RevokedEndorsementError, ["crl-issuer"], {
    "a CRL of another CA": minted({
      intermediateCrl: { issuer: { subject: name("Other"), keys: vendor.intermediate.keys } },
    }),
  }),
  refusals("authenticate", RevokedEndorsementError, ["certificate-revocation"], {
    "a CRL that revokes the device": minted({ intermediateCrl: { revoked: revokedList("01", SERIALS.device) } }),
    "a CRL that revokes the intermediate": minted({ rootCrl: { revoked: revokedList(SERIALS.intermediate) } }),
  }),
  refusals("authenticate", RevokedEndorsementError, ["crl-validity"], {
    "a device CRL past its next update by one second": minted({ intermediateCrl: { nextUpdate: NOW - 1 } }),
    "a root CRL past its next update by one second": minted({ rootCrl: { nextUpdate: NOW - 1 } }),
    "a CRL from the next second": minted({ rootCrl: { thisUpdate: NOW + 1 } }),
  }),
  refusals("authenticate", RevokedEndorsementError, ["endorsement-age"], {
    "a CRL one second older than the policy allows": minted({
      rootCrl: { thisUpdate: NOW - strictPolicy.maxEndorsementAge.simulatedCrl - 1 },
    }),
  }),
  refusals("authenticate", RevokedEndorsementError, ["crl-number"], {
    "a CRL number below the floor": { policy: { minCrlNumber: { ...strictPolicy.minCrlNumber, simulated: 8 } } },
    "a CRL without a number": minted({ rootCrl: { extensions: [unknownNotCritical] } }),
    "a CRL without extensions": minted({ rootCrl: { extensions: [] } }),
  }),
  refusals("authenticate", NotAnEnclaveError, ["endorsements-form"], {
    "a CRL without next update": minted({ rootCrl: { nextUpdate: null } }),
    "a CRL that names another algorithm outside": minted({ rootCrl: { outerAlgorithm: algorithmOf("P-256") } }),
    "a CRL with an empty list": minted({ rootCrl: { revoked: set().fill(0x30, 0, 1) } }),
  }),
].flat();
