/** Chains and CRLs that are not good: forged, crossed, expired, revoked, or signed in another way. */
import { integer, name } from "../../der.ts";
import { pkcs1Keys, pkcs1Sha384, pssAlgorithm, pssKeys, rsaPair } from "../../rsa.ts";
import {
  basicConstraints,
  caUsage,
  certSignOnly,
  crlNumber,
  crlSignOnly,
  curveKeys,
  NOW,
  revokedList,
  unknownCritical,
  type Keys,
} from "../../vendor.ts";
import { bothKeys } from "../appraise.ts";
import { pinnedArk } from "../vendor.ts";
import { refused, type RefusalCase } from "./refusal.ts";

const foreign = rsaPair();
const ark = pinnedArk("milan");
const issuerName = name("SEV-Milan");

/** The keys of AMD's own ARK, signing in another way than AMD's. */
function arkSigning(keys: Keys): { readonly subject: Uint8Array; readonly keys: Keys } {
  return { subject: ark.subject, keys: { ...keys, spki: ark.keys.spki } };
}

const arkPair = { privateKey: ark.keys.privateKey, spki: ark.keys.spki };

export const chainCases: readonly RefusalCase[] = [
  refused(["pinned-root: untrusted-root", "product-agreement: bad-chain"], {
    "a root with AMD's name, key and dates that is another certificate": { root: { serial: "010009" } },
    "a whole foreign chain with the same names": { root: { keys: pssKeys(foreign) } },
  }),
  refused(["certificate-signature: bad-chain"], {
    "an issuer that the pinned root did not sign": {
      issuer: { issuer: { subject: ark.subject, keys: pssKeys(foreign) } },
    },
    "an EK that its issuer did not sign": {
      ekCertificate: { issuer: { subject: issuerName, keys: pssKeys(foreign) } },
    },
    "an issuer signed in PKCS1 where it names PSS": {
      issuer: { issuer: arkSigning(pkcs1Keys(arkPair, pssAlgorithm(), "sha384")) },
    },
    "an issuer signed in PKCS1, as it says": {
      issuer: { issuer: arkSigning(pkcs1Keys(arkPair, pkcs1Sha384, "sha384")) },
    },
    "an issuer signed with another salt": { issuer: { issuer: arkSigning(pssKeys(arkPair, undefined, "sha384", 32)) } },
    "an EK signed by a curve's key": {
      ekCertificate: { issuer: { subject: issuerName, keys: curveKeys("P-384") } },
    },
  }),
  refused(["certificate-issuer: bad-chain", "certificate-signature: bad-chain"], {
    "an EK right under the root": { ekCertificate: { issuer: ark } },
  }),
  refused(["certificate-issuer: bad-chain"], {
    "an EK under another name of its issuer": {
      ekCertificate: { issuer: { subject: name("SEV-Genoa"), keys: pssKeys(foreign) } },
      issuer: { keys: pssKeys(foreign) },
    },
  }),
  refused(["certificate-issuer: bad-chain", "certificate-signature: bad-chain", "product-agreement: bad-chain"], {
    "an issuer of another name than the EK says": {
      issuer: { subject: name("SEV-Genoa") },
      ekCertificate: { issuer: { subject: issuerName, keys: pssKeys(foreign) } },
    },
  }),
  refused("certificate-authority: bad-chain", {
    "an issuer that is no CA": { issuer: { extensions: [basicConstraints(false), certSignOnly] } },
    "an issuer without basic constraints": { issuer: { extensions: [certSignOnly] } },
    "an issuer that may not sign certificates": { issuer: { extensions: [basicConstraints(true, 0), crlSignOnly] } },
    "an issuer without key usage": { issuer: { extensions: [basicConstraints(true, 0)] } },
  }),
  refused("certificate-extensions: bad-chain", {
    "an issuer under a condition that nobody knows": {
      issuer: { extensions: [basicConstraints(true, 0), certSignOnly, unknownCritical] },
    },
    "an EK under a condition that nobody knows": { ek: { extra: [unknownCritical] } },
  }),
  refused("certificate-use: bad-chain", {
    "an EK that is a CA": { ek: { extra: [basicConstraints(true)] } },
    "an EK that may only sign certificates": { ek: { extra: [caUsage] } },
  }),
  refused("certificate-validity: expired", {
    "an EK expired for one second": { ekCertificate: { notAfter: NOW - 1 } },
    "an issuer expired for one second": { issuer: { notAfter: NOW - 1 } },
  }),
  refused("certificate-validity: not-yet-valid", {
    "an EK valid from the next second": { ekCertificate: { notBefore: NOW + 1 } },
    "an issuer valid from the next second": { issuer: { notBefore: NOW + 1 } },
  }),
  refused("crl-presence: missing-endorsement", {
    "no CRL": { endorsements: (right) => ({ ...right, crls: [] }) },
  }),
  refused("crl-signature: crl-bad-signature", {
    "a CRL by another key of the same name": { crl: { issuer: { subject: ark.subject, keys: pssKeys(foreign) } } },
    "a CRL signed in PKCS1": { crl: { issuer: arkSigning(pkcs1Keys(arkPair, pkcs1Sha384, "sha384")) } },
    "a CRL under a condition that nobody knows": { crl: { extensions: [crlNumber(6), unknownCritical] } },
  }),
  refused(["crl-issuer: crl-bad-signature", "crl-signature: crl-bad-signature"], {
    "a CRL of another product": { crl: { issuer: pinnedArk("genoa") } },
  }),
  refused("crl-validity: crl-expired", { "a CRL past its time": { crl: { nextUpdate: NOW - 1 } } }),
  refused("crl-validity: crl-not-yet-valid", { "a CRL of the future": { crl: { thisUpdate: NOW + 1 } } }),
  refused("endorsement-age: endorsement-too-old", {
    "a CRL older than the policy allows": { crl: { thisUpdate: NOW - 401 * 86_400 } },
  }),
  refused("crl-number: crl-number-too-low", { "a CRL that was superseded": { crl: { extensions: [crlNumber(5)] } } }),
  refused("crl-number: crl-number-too-low", {
    "a CRL of Genoa that was superseded": { product: "genoa", crl: { extensions: [crlNumber(3)] } },
  }),
  refused(
    "crl-number: crl-number-too-low",
    { "a CRL of Turin that was superseded": { product: "turin" } },
    { ...bothKeys, minCrlNumber: { ...bothKeys.minCrlNumber, amdTurin: 7 } },
  ),
  refused("certificate-revocation: revoked", {
    "an issuer that AMD revoked": { crl: { revoked: revokedList("010001") } },
    "an issuer revoked among others": { crl: { revoked: revokedList("0f", "010001", "020001") } },
  }),
  refused("crl-number: crl-number-too-low", { "a CRL without a number": { crl: { extensions: [] } } }),
  refused(["endorsements-form: bad-encoding", "evidence-signature skipped"], {
    "a CRL of version 1": { crl: { version: integer(0) } },
  }),
].flat();
