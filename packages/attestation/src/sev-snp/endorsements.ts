/** Verify: is the report authentic under a pinned root of AMD's, with validity and revocation at `now`? */
import { jsonArray, jsonObject, jsonString, type JsonValue } from "@blindbox/encoding";
import type { AppraisalPolicy } from "../appraisal-policy.ts";
import { EvidenceError } from "../evidence-error.ts";
import { compared, malformed, skipped } from "../findings.ts";
import { jsonBytes, jsonOrNull } from "../json.ts";
import type { Authentication } from "../tee.ts";
import type { Finding } from "../types.ts";
import { ecdsaP384, rsaPssSha384, verifyChain, type Chain, type Crl, type SignatureCheck } from "../x509/index.ts";
import type { EndorsementKey } from "./endorsement-key.ts";
import type { SevSnpReport } from "./evidence.ts";
import { compareKey } from "./key-match.ts";
import type { EndorsementReading, KnownIssuer } from "./known-certificates.ts";
import type { MeasurementEndorser } from "./measurement-endorser.ts";
import { appraiseCloud, appraiseProduct } from "./product-appraisal.ts";
import { cpuOf, type Cpu } from "./products.ts";
import type { PinnedRoot } from "./roots.ts";

/** What a verifier of reports is made of. */
export interface Trust {
  readonly roots: readonly PinnedRoot[];
  readonly reading: EndorsementReading;
  /** Verifies certificates and CRLs. */
  readonly verifySignature: SignatureCheck;
  /** Verifies reports, whose signatures are raw. */
  readonly verifyReport: SignatureCheck;
  readonly uvm: MeasurementEndorser | null;
}

/** `{ "crls": [the root's], "ek": VCEK or VLEK, "issuers": [ASK or ASVK, ARK], "uvm": bytes or null }`, DER in base64url. */
interface SevSnpEndorsements {
  readonly ek: EndorsementKey;
  readonly issuer: KnownIssuer;
  readonly root: KnownIssuer;
  /** `null` where it did not come. */
  readonly crl: Crl | null;
  readonly uvm: Uint8Array | null;
}

/** All that there is to say of the report's origin, and of what only its origin tells: the product, and the product's floors. */
export async function authenticateReport(
  report: SevSnpReport,
  value: JsonValue,
  trust: Trust,
  policy: AppraisalPolicy,
  now: number,
): Promise<Authentication> {
  const endorsements = readEndorsements(value, trust.reading);
  if ("unread" in endorsements) return unreadable(report, endorsements.unread, policy);
  const pinned = await pinOf(endorsements, trust.roots);
  const cpu = cpuOfReport(report, pinned);
  const [chain, signature, endorsed] = await Promise.all([
    verifyChain(await chainOf(endorsements, pinned, trust, policy, now)),
    compareSignature(report, endorsements, trust),
    endorseMeasurement(report, endorsements, trust, now),
  ]);
  const match = compareKey({ report, ...endorsements, line: pinned?.product ?? null, cpu });
  const origin = [signingKey(report), comparePin(pinned), ...chain, ...match, signature, ...endorsed.findings];
  const platform = [...appraiseProduct(report, cpu, policy), ...appraiseCloud(report, endorsements.ek, policy)];
  return {
    findings: [...origin, ...platform],
    registers: endorsed.registers,
    facts: { ...endorsed.facts, ...factsOf(endorsements.ek, cpu) },
  };
}

function unreadable(report: SevSnpReport, unread: readonly Finding[], policy: AppraisalPolicy): Authentication {
  const platform = [
    ...appraiseProduct(report, cpuOfReport(report, null), policy),
    ...appraiseCloud(report, null, policy),
  ];
  return { findings: [signingKey(report), ...unread, ...platform], registers: {}, facts: {} };
}

function readEndorsements(
  value: JsonValue,
  reading: EndorsementReading,
): SevSnpEndorsements | { readonly unread: readonly Finding[] } {
  try {
    return parseEndorsements(value, reading);
  } catch (error) {
    const failed = "The Endorsements cannot be read, or one is missing: nothing shows that the report is genuine.";
    const finding = malformed("authenticate", "endorsements-form", error, failed);
    const reason = "There is no readable chain.";
    return {
      unread: [finding, skipped("authenticate", "evidence-signature", "a signature under a pinned root", reason)],
    };
  }
}

function parseEndorsements(value: JsonValue, reading: EndorsementReading): SevSnpEndorsements {
  const members = jsonObject(value, "endorsements", ["crls", "ek", "issuers", "uvm"]);
  const [crl] = jsonArray(members.crls, "endorsements.crls", 1);
  const [issuer, root, ...more] = jsonArray(members.issuers, "endorsements.issuers", 4);
  if (members.ek === null) throw missing("endorsements.ek");
  if (issuer === undefined || root === undefined) throw missing("endorsements.issuers");
  if (more.length > 0) throw new EvidenceError("bad-chain", "endorsements.issuers", "2", `${more.length + 2}`);
  return {
    ek: reading.key(jsonString(members.ek, "endorsements.ek"), "ek certificate"),
    issuer: reading.issuer(jsonString(issuer, "endorsements.issuers[0]"), "issuer certificate"),
    root: reading.issuer(jsonString(root, "endorsements.issuers[1]"), "root certificate"),
    crl: crl === undefined ? null : reading.crl(jsonString(crl, "endorsements.crls[0]"), "root's CRL"),
    uvm: jsonOrNull(members.uvm, (bytes) => jsonBytes(bytes, "endorsements.uvm")),
  };
}

function missing(field: string): EvidenceError {
  return new EvidenceError("missing-endorsement", field, "a certificate", "none");
}

async function pinOf({ root }: SevSnpEndorsements, roots: readonly PinnedRoot[]): Promise<PinnedRoot | null> {
  const sha256 = await root.sha256;
  return roots.find((each) => each.sha256 === sha256) ?? null;
}

/** By its CPUID; a report of version 2 has none, and is of the product whose root its chain ends at. */
function cpuOfReport({ cpuid }: SevSnpReport, pinned: PinnedRoot | null): Cpu | null {
  if (cpuid !== null) return cpuOf(cpuid);
  return pinned === null ? null : { line: pinned.product, product: pinned.product };
}

function signingKey({ signingKey: kind, chipKeyMasked }: SevSnpReport): Finding {
  return compared({
    step: "authenticate",
    check: "signing-key",
    code: "signing-key-mismatch",
    holds: (kind === "vcek" || kind === "vlek") && !chipKeyMasked,
    expected: "a report that a VCEK or VLEK signed",
    actual: chipKeyMasked ? "a report whose host hid the chip's key" : kind,
    passed: "The firmware signed with a key that AMD certifies.",
    failed: "The firmware signed with no key that AMD certifies.",
  });
}

function comparePin(pinned: PinnedRoot | null): Finding {
  return compared({
    step: "authenticate",
    check: "pinned-root",
    code: "untrusted-root",
    holds: pinned !== null,
    expected: "a chain that ends at one of AMD's roots",
    actual: pinned === null ? "another root" : `AMD's root for ${pinned.product}`,
    passed: "The root is AMD's own, known by its fingerprint.",
    failed: "The root is none of AMD's: anybody could have made this chain.",
  });
}

const crlIssuers = { milan: "amdMilan", genoa: "amdGenoa", turin: "amdTurin" } as const;

async function chainOf(
  { ek, issuer, root, crl }: SevSnpEndorsements,
  pinned: PinnedRoot | null,
  { verifySignature }: Trust,
  { maxEndorsementAge, minCrlNumber }: AppraisalPolicy,
  now: number,
): Promise<Chain> {
  const isKnown = pinned?.issuers.includes(await issuer.sha256) ?? false;
  // A chain to no pinned root is refused whatever its CRL says.
  const minNumber = pinned === null ? 0 : minCrlNumber[crlIssuers[pinned.product]];
  return {
    now,
    // Whose fingerprint the verifying side holds beside its root's, that root has signed: its signature says nothing more.
    verifySignature: async (algorithm, key, signature, signed) =>
      (isKnown && signed === issuer.certificate.signed && key === root.certificate.key) ||
      verifySignature(algorithm, key, signature, signed),
    algorithms: [rsaPssSha384],
    knownExtensions: [],
    links: [
      // AMD publishes no list of revoked keys of chips: a key of an old TCB is refused by the floors.
      { name: "ek", certificate: ek.certificate, revocation: null },
      {
        name: "issuer",
        certificate: issuer.certificate,
        revocation: { crl, kind: "amdCrl", maxAge: maxEndorsementAge.amdCrl, minNumber },
      },
    ],
    root: root.certificate,
  };
}

async function compareSignature(
  report: SevSnpReport,
  { ek }: SevSnpEndorsements,
  { verifyReport }: Trust,
): Promise<Finding> {
  const holds = await verifyReport(ecdsaP384, ek.certificate.key, report.signature, report.signed);
  return compared({
    step: "authenticate",
    check: "evidence-signature",
    code: "bad-signature",
    holds,
    expected: "a report signed by the key of the certificate, with ECDSA on P-384",
    actual: holds ? "signed by it" : "not signed by it",
    passed: "The chip that the chain vouches for signed this report.",
    failed: "The report was changed, or another chip signed it.",
  });
}

const nothing: Authentication = { findings: [], registers: {}, facts: {} };

async function endorseMeasurement(
  report: SevSnpReport,
  { uvm }: SevSnpEndorsements,
  trust: Trust,
  now: number,
): Promise<Authentication> {
  if (uvm === null) return nothing;
  if (trust.uvm === null) return { ...nothing, findings: [unacceptedEndorser()] };
  try {
    return await trust.uvm.endorse(uvm, report, now);
  } catch (error) {
    const failed = "What is said of the measurement cannot be read.";
    return { ...nothing, findings: [malformed("authenticate", "measurement-endorsement", error, failed)] };
  }
}

function unacceptedEndorser(): Finding {
  return compared({
    step: "authenticate",
    check: "measurement-endorsement",
    code: "feed-mismatch",
    holds: false,
    expected: "no endorsement of the measurement",
    actual: "one by somebody whose word is not accepted here",
    passed: "",
    failed: "Somebody else than AMD says what the measurement is, and nobody is accepted for that.",
    hint: "To accept one, pass its endorser to sevSnp({ uvm }).",
  });
}

function factsOf({ productName, cspId }: EndorsementKey, cpu: Cpu | null): Authentication["facts"] {
  return {
    productName,
    ...(cspId === null ? {} : { cspId }),
    ...(cpu === null ? {} : { product: cpu.line }),
  };
}
