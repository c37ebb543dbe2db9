/**
 * Judges the cases of Azure's confidential VMs. Whole evidence goes the way of the product; cases with a scope judge one part,
 * by the functions that the product judges that part with.
 */
import {
  formatAzureEvidence,
  type AppraisalPolicy,
  type Finding,
  type ParsedEvidence,
  type Tee,
} from "@blindbox/attestation";
import { derRead, fromHex, fromUtf8, parsePem, type JsonValue } from "@blindbox/encoding";
import { authenticateHcl } from "../../packages/attestation/src/azure-vtpm/endorsements.ts";
import { parseHclEvidence, parseQuoteEvidence } from "../../packages/attestation/src/azure-vtpm/evidence.ts";
import { hclFacts, quoteFacts } from "../../packages/attestation/src/azure-vtpm/facts.ts";
import { bindRuntimeData, compareKeyUse } from "../../packages/attestation/src/azure-vtpm/hcl-findings.ts";
import { parseHclReport } from "../../packages/attestation/src/azure-vtpm/hcl-report.ts";
import { quoteFindings } from "../../packages/attestation/src/azure-vtpm/quote-findings.ts";
import { parseRuntimeData } from "../../packages/attestation/src/azure-vtpm/runtime-data.ts";
import { parseTdReport } from "../../packages/attestation/src/azure-vtpm/td-report.ts";
import { azureVtpm } from "../../packages/attestation/src/azure-vtpm/tee.ts";
import { trustAnchor } from "../../packages/attestation/src/tdx/anchor.ts";
import { tdxUnder } from "../../packages/attestation/src/tdx/tee.ts";
import { amdRoots } from "../../packages/attestation/src/sev-snp/roots.ts";
import { sevSnpUnder } from "../../packages/attestation/src/sev-snp/tee.ts";
import { parsePublicKey, type RsaPublicKey } from "../../packages/attestation/src/x509/public-key.ts";
import type { Judge, OpenCase } from "../case.ts";
import { judge, type Question } from "../judge.ts";
import { sevSnpEndorsements, sevSnpPolicy } from "./sev-snp.ts";
import { tdxEndorsements, tdxPolicy, tdxSetAside } from "./tdx.ts";

/** Judges one case. */
export const judgeAzureVtpm: Judge = async (opened) =>
  judge({
    ...partOf(opened),
    endorsements: { hardware: hardwareEndorsements(opened) },
    policy: azurePolicy(opened),
    now: opened.now,
    setAside: setAside(opened),
    expected: nonceOf(opened),
  });

type Part = Pick<Question, "tee" | "evidence">;

const hardware: readonly Tee[] = [sevSnpUnder(amdRoots, null), tdxUnder(trustAnchor())];
const whole = azureVtpm({ hardware });

function partOf(opened: OpenCase): Part {
  const { scope } = opened.policy;
  if (scope === undefined) return { tee: whole, evidence: documentOf(opened) };
  if (scope === "quote-only") {
    return { tee: partial((bytes) => quoteOnly(bytes, opened)), evidence: part(opened, "quote") };
  }
  return { tee: partial(scope === "hcl-only" ? hclOnly : bindingOnly), evidence: part(opened, "hclReport") };
}

/** What the product gets in one document. */
function documentOf(opened: OpenCase): Uint8Array {
  return formatAzureEvidence({
    hclReport: part(opened, "hclReport"),
    pcrs: pcrsOf(opened),
    quote: part(opened, "quote"),
    signature: part(opened, "signature"),
    tdQuote: opened.evidence["tdQuote"] === undefined ? null : part(opened, "tdQuote"),
  });
}

function part({ evidence, bytes }: OpenCase, name: string): Uint8Array {
  return bytes(evidence[name] ?? "");
}

function pcrsOf(opened: OpenCase): Uint8Array[] {
  return (JSON.parse(fromUtf8(part(opened, "pcrs"))) as string[]).map((pcr) => fromHex(pcr));
}

function hardwareEndorsements({ endorsements, evidence, bytes }: OpenCase): JsonValue {
  const onTdx = endorsements.ek === undefined && evidence["tdQuote"] !== undefined;
  return onTdx ? tdxEndorsements(endorsements, bytes) : sevSnpEndorsements(endorsements, bytes);
}

/** The strict default of the cases, which pins nobody's key and no setting of the machine. */
function azurePolicy({ policy: { debug = "refuse", snp = {}, tdx = {} } }: OpenCase): AppraisalPolicy {
  const below = { ...sevSnpPolicy({ debug, ...snp }), tdx: tdxPolicy({ debug, ...tdx }).tdx };
  const ages = { ...tdxPolicy({}).maxEndorsementAge, amdCrl: below.maxEndorsementAge.amdCrl };
  const azure = { idKeyDigests: "any", secureBoot: "any", console: "any" } as const;
  return { ...below, maxEndorsementAge: ages, azureVtpm: azure };
}

/** Without CRLs or collateral the hardware's own checks are not complete: the product refuses that. */
function setAside({ endorsements, policy }: OpenCase): (finding: Finding) => boolean {
  const ofTdx = tdxSetAside(policy.tdx ?? {});
  const checks = endorsements.crls === undefined ? ["crl-presence", "hardware-checks"] : [];
  return (finding) => checks.includes(finding.check) || ofTdx(finding);
}

function nonceOf({ policy }: OpenCase): Readonly<Record<string, JsonValue>> {
  return policy.nonce === undefined ? {} : { nonce: policy.nonce };
}

function partial(parseEvidence: (bytes: Uint8Array) => ParsedEvidence): Tee {
  return { ...whole, parseEvidence };
}

const nothing = { registers: {}, facts: {}, tcb: "", debug: false, bound: new Uint8Array() };

function hclOnly(bytes: Uint8Array): ParsedEvidence {
  const hcl = parseHclEvidence(bytes, null, hardware);
  return {
    ...nothing,
    facts: hclFacts(hcl),
    authenticate: (endorsements, policy, now) => authenticateHcl(hcl, endorsements, policy, now),
    appraisePlatform: (policy) => hcl.hardware.appraisePlatform(policy),
  };
}

/** A TDREPORT without a quote: parser and hash alone. */
function bindingOnly(bytes: Uint8Array): ParsedEvidence {
  const report = parseHclReport(bytes);
  const runtimeData = parseRuntimeData(report.runtimeData);
  const { reportData } = parseTdReport(report.hardwareReport);
  const unquoted = {
    ...nothing,
    bound: fromHex(reportData),
    authenticate: async () => authentication([]),
    appraisePlatform: () => [],
  };
  const hcl = { report, runtimeData, tee: whole, hardware: unquoted, tdReport: null };
  return {
    ...unquoted,
    facts: hclFacts(hcl),
    authenticate: async () => {
      const { finding, sha256 } = await bindRuntimeData(hcl);
      return authentication([finding, compareKeyUse(hcl)], { varDataSha256: sha256 });
    },
  };
}

function quoteOnly(bytes: Uint8Array, opened: OpenCase): ParsedEvidence {
  const quoted = parseQuoteEvidence(bytes, part(opened, "signature"), pcrsOf(opened));
  return {
    ...nothing,
    facts: quoteFacts(quoted),
    authenticate: async () => authentication(await quoteFindings(quoted, bareKey(opened))),
    appraisePlatform: () => [],
  };
}

function bareKey(opened: OpenCase): RsaPublicKey {
  const [spki] = parsePem(fromUtf8(part(opened, "akPub")), "PUBLIC KEY");
  if (spki === undefined) throw new Error("a case of a bare key has to bring one");
  const key = parsePublicKey(derRead(spki, "akPub"), "akPub");
  if (key.kind === "rsa") return key;
  throw new Error("the bare key of a case is an RSA key");
}

function authentication(
  findings: readonly Finding[],
  facts: Readonly<Record<string, JsonValue>> = {},
): Awaited<ReturnType<ParsedEvidence["authenticate"]>> {
  return { findings, registers: {}, facts };
}
