/** What is not authentic (step 2), revocation apart. */
import { NotAnEnclaveError } from "@blindbox/attestation";
import { vendor } from "../box.ts";
import { name } from "../der.ts";
import {
  algorithmOf,
  basicConstraints,
  caUsage,
  certSignOnly,
  crlSignOnly,
  curveKeys,
  leafUsage,
  NOW,
  random,
  unknownCritical,
} from "../vendor.ts";
import { flipped, foreign, minted, refusals, type Refusal } from "./refusals.ts";

export const authenticateRefusals: readonly Refusal[] = [
  refusals("authenticate", NotAnEnclaveError, ["tee-kind"], {
    "a kind of TEE that is not accepted": {
      statement: { tee: "sev-snp" },
      document: (all) => ({ ...all, tee: "sev-snp" }),
    },
  }),
  refusals("authenticate", NotAnEnclaveError, ["endorsements-form"], {
    "Endorsements of no form": { document: (all) => ({ ...all, endorsements: null }) },
    "Endorsements with one member more": {
      document: (all) => ({ ...all, endorsements: { chain: [], crls: [], more: [] } }),
    },
    "a chain without its intermediate": { endorsements: ([device], crls) => ({ chain: device ? [device] : [], crls }) },
    "a chain that brings a root along": {
      endorsements: (chain, crls) => ({ chain: [...chain, vendor.root.der], crls }),
    },
    "a certificate that names another algorithm outside": minted({ device: { outerAlgorithm: algorithmOf("P-256") } }),
    "a certificate that names another algorithm inside": minted({ device: { innerAlgorithm: algorithmOf("P-256") } }),
  }),
  refusals(
    "authenticate",
    NotAnEnclaveError,
    [
      "certificate-issuer",
      "certificate-signature",
      "certificate-authority",
      "certificate-use",
      "crl-issuer",
      "crl-signature",
      "evidence-signature",
      "chip-id",
    ],
    {
      "a chain in the other order": { endorsements: (chain, crls) => ({ chain: chain.toReversed(), crls }) },
    },
  ),
  refusals("authenticate", NotAnEnclaveError, ["certificate-signature", "crl-signature"], {
    "a foreign chain with the same names": { vendor: foreign },
  }),
  refusals("authenticate", NotAnEnclaveError, ["certificate-signature"], {
    "a foreign chain, and reports signed by its device": { vendor: { ...vendor, device: foreign.device } },
    "a certificate that names another algorithm throughout": minted({
      device: { innerAlgorithm: algorithmOf("P-256"), outerAlgorithm: algorithmOf("P-256") },
    }),
  }),
  refusals("authenticate", NotAnEnclaveError, ["certificate-issuer"], {
    "a device certificate under another name": minted({
      device: { issuer: { subject: name("Other"), keys: vendor.intermediate.keys } },
    }),
  }),
  refusals("authenticate", NotAnEnclaveError, ["certificate-issuer", "certificate-signature"], {
    "a device certificate that the root issued": minted({ device: { issuer: vendor.root } }),
  }),
  refusals("authenticate", NotAnEnclaveError, ["certificate-validity"], {
    "a device certificate expired for one second": minted({ device: { notAfter: NOW - 1 } }),
    "a device certificate valid from the next second": minted({ device: { notBefore: NOW + 1 } }),
    "an intermediate expired for one second": minted({ intermediate: { notAfter: NOW - 1 } }),
  }),
  refusals("authenticate", NotAnEnclaveError, ["certificate-extensions"], {
    "an unknown critical extension of the device": minted({ device: { extensions: [unknownCritical] } }),
    "an unknown critical extension of the intermediate": minted({
      intermediate: { extensions: [basicConstraints(true, 0), caUsage, unknownCritical] },
    }),
  }),
  refusals("authenticate", NotAnEnclaveError, ["certificate-authority"], {
    "an intermediate that is no CA": minted({ intermediate: { extensions: [basicConstraints(false), caUsage] } }),
    "an intermediate without basic constraints": minted({ intermediate: { extensions: [caUsage] } }),
    "an intermediate that may not sign certificates": minted({
      intermediate: { extensions: [basicConstraints(true, 0), crlSignOnly] },
    }),
  }),
  refusals("authenticate", NotAnEnclaveError, ["certificate-authority", "crl-signature"], {
    "an intermediate without key usage": minted({ intermediate: { extensions: [basicConstraints(true, 0)] } }),
  }),
  refusals("authenticate", NotAnEnclaveError, ["certificate-use"], {
    "a device that is a CA": minted({ device: { extensions: [basicConstraints(true), leafUsage] } }),
    "a device that may only sign certificates": minted({ device: { extensions: [certSignOnly] } }),
  }),
  refusals("authenticate", NotAnEnclaveError, ["evidence-signature", "statement-binding"], {
    "a report that was changed": flipped(100),
  }),
  refusals("authenticate", NotAnEnclaveError, ["evidence-signature"], {
    "a report whose signature was changed": flipped(200),
    "a device key on the other curve": {
      ...minted({ device: { keys: curveKeys("P-256") } }),
      evidence: (bytes) => Buffer.concat([bytes, random(32)]),
    },
  }),
  refusals("authenticate", NotAnEnclaveError, ["evidence-signature", "chip-id"], {
    "a report signed by another device": {
      vendor: { ...vendor, device: { ...vendor.device, keys: foreign.device.keys } },
    },
  }),
  refusals("authenticate", NotAnEnclaveError, ["chip-id"], {
    "a report that names another chip": { report: { chipId: random(32) } },
  }),
].flat();
