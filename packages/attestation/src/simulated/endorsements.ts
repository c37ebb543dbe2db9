/** Verify: is the report authentic under the pinned root, with validity and revocation at `now`? */
import {
  EncodingError,
  digest,
  equalBytes,
  formatSha256,
  fromBase64url,
  jsonArray,
  jsonObject,
  jsonString,
  toHex,
} from "@blindbox/encoding";
import type { JsonValue } from "@blindbox/encoding";
import type { AppraisalPolicy } from "../appraisal-policy.ts";
import { compared, malformed, skipped, warned } from "../findings.ts";
import type { Finding } from "../types.ts";
import { ecdsaP256, ecdsaP384, parseCertificate, parseCrl, verifyChain, verifyRawSignature } from "../x509/index.ts";
import type { Certificate, Crl, Link, SignatureCheck } from "../x509/index.ts";
import type { SimulatedReport } from "./evidence.ts";
import type { PinnedRoot } from "./roots.ts";

/** `{ "chain": [device, intermediate], "crls": [the root's, the intermediate's] }`, each DER in base64url. */
interface SimulatedEndorsements {
  readonly device: Certificate;
  readonly intermediate: Certificate;
  /** `null` where it did not come. */
  readonly rootCrl: Crl | null;
  /** `null` where it did not come. */
  readonly intermediateCrl: Crl | null;
}

/** Under which root a chain must end, and what verifies its signatures. */
export interface TrustAnchor {
  readonly root: PinnedRoot;
  readonly verifySignature: SignatureCheck;
}

/** All that there is to say of the report's origin. At best it is a `warning`: a simulator is no hardware. */
export async function authenticateReport(
  report: SimulatedReport,
  value: JsonValue,
  { root, verifySignature }: TrustAnchor,
  policy: AppraisalPolicy,
  now: number,
): Promise<readonly Finding[]> {
  const warning = simulatorWarning(formatSha256(await digest("SHA-256", root.der)));
  const endorsements = readEndorsements(value);
  if ("unread" in endorsements) return [warning, ...endorsements.unread];
  const links = linksOf(endorsements, policy);
  const chain = {
    links,
    root: root.certificate,
    now,
    verifySignature,
    algorithms: [ecdsaP256, ecdsaP384],
    knownExtensions: [],
  };
  const ofThisRoot = await endsAt(endorsements, root.certificate, verifySignature);
  return [
    warning,
    ...(await verifyChain(chain)).map((finding) => (ofThisRoot ? finding : withOtherRootHint(finding))),
    await compareSignature(report, endorsements.device),
    await compareChip(report, endorsements.device),
  ];
}

function endsAt({ intermediate }: SimulatedEndorsements, root: Certificate, verify: SignatureCheck): Promise<boolean> {
  return verify(intermediate.algorithm, root.key, intermediate.signature, intermediate.signed);
}

/** Every machine's simulator has a root of its own, so a right chain under another root is an everyday mistake. */
const otherRoot =
  "Perhaps it is another simulated TEE's, made on another machine or by another user: name the root to accept with " +
  "`--simulated=ROOT.pem` (in code `simulated({ root })`). `blindbox run` keeps it where the box runs, in " +
  "$XDG_STATE_HOME/blindbox/simulated/root.pem, below ~/.local/state where that is not set.";

function withOtherRootHint(finding: Finding): Finding {
  const ofTheChain = finding.check === "certificate-issuer" || finding.check === "certificate-signature";
  return ofTheChain && finding.status === "failed" ? { ...finding, hint: otherRoot } : finding;
}

function simulatorWarning(pin: string): Finding {
  return warned({
    step: "authenticate",
    check: "simulated-tee",
    expected: "a hardware TEE",
    actual: `the simulator with root ${pin}`,
    reason: "A simulator exercises everything but the silicon: whoever runs it can read and change all that is in it.",
    hint: "For development only. Use Evidence of a hardware TEE for data that has to be protected.",
  });
}

type Reading = SimulatedEndorsements | { readonly unread: readonly Finding[] };

function readEndorsements(value: JsonValue): Reading {
  try {
    return parseEndorsements(value);
  } catch (error) {
    const failed = "The Endorsements cannot be read, so nothing shows that the Evidence is genuine.";
    const finding = malformed("authenticate", "endorsements-form", error, failed);
    const reason = "There is no readable chain.";
    return {
      unread: [finding, skipped("authenticate", "evidence-signature", "a signature under the pinned root", reason)],
    };
  }
}

function parseEndorsements(value: JsonValue): SimulatedEndorsements {
  const members = jsonObject(value, "endorsements", ["chain", "crls"]);
  const [device, intermediate] = derList(members.chain, "endorsements.chain");
  if (device === undefined || intermediate === undefined) {
    throw new EncodingError("truncated", "endorsements.chain", "2 certificates", device === undefined ? "none" : "1");
  }
  const [rootCrl, intermediateCrl] = derList(members.crls, "endorsements.crls");
  return {
    device: parseCertificate(device, "device certificate"),
    intermediate: parseCertificate(intermediate, "intermediate certificate"),
    rootCrl: rootCrl === undefined ? null : parseCrl(rootCrl, "root's CRL"),
    intermediateCrl: intermediateCrl === undefined ? null : parseCrl(intermediateCrl, "intermediate's CRL"),
  };
}

function derList(value: JsonValue, path: string): readonly Uint8Array[] {
  return jsonArray(value, path, 2).map((der, at) => fromBase64url(jsonString(der, `${path}[${at}]`), `${path}[${at}]`));
}

function linksOf(
  { device, intermediate, rootCrl, intermediateCrl }: SimulatedEndorsements,
  { maxEndorsementAge, minCrlNumber }: AppraisalPolicy,
): readonly Link[] {
  const rules = {
    kind: "simulatedCrl",
    maxAge: maxEndorsementAge.simulatedCrl,
    minNumber: minCrlNumber.simulated,
  } as const;
  return [
    { name: "device", certificate: device, revocation: { crl: intermediateCrl, ...rules } },
    { name: "intermediate", certificate: intermediate, revocation: { crl: rootCrl, ...rules } },
  ];
}

async function compareSignature(report: SimulatedReport, device: Certificate): Promise<Finding> {
  const holds = await verifyRawSignature(ecdsaP384, device.key, report.signature, report.signed);
  return compared({
    step: "authenticate",
    check: "evidence-signature",
    holds,
    expected: "a report signed by the device's key",
    actual: holds ? "signed by it" : "not signed by it",
    passed: "The device that the chain names signed this report.",
    failed: "The report was changed, or another device signed it.",
  });
}

async function compareChip(report: SimulatedReport, device: Certificate): Promise<Finding> {
  const expected = await digest("SHA-256", device.spki);
  return compared({
    step: "authenticate",
    check: "chip-id",
    holds: equalBytes(report.chipId, expected),
    expected: toHex(expected),
    actual: toHex(report.chipId),
    passed: "The report names the device that signed it.",
    failed: "The report names another device than the one that signed it.",
  });
}
