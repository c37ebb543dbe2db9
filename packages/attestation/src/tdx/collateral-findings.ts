/** Intel's Endorsements: are they there, authentic, current and about this platform? */
import { EncodingError, type JsonValue } from "@blindbox/encoding";
import { compared, malformed } from "../findings.ts";
import type { Finding } from "../types.ts";
import { COLLATERAL_PARTS, type CollateralPart, type CollateralReading } from "./collateral.ts";
import { issuerChainFindings, pckCrlIssuerFindings } from "./issuer-chains.ts";
import type { QeIdentity } from "./qe-identity.ts";
import type { TdxQuestion } from "./question.ts";
import { revocationFindings } from "./revocations.ts";
import type { TcbInfo } from "./tcb-info.ts";
import { meaningFindings, textSignature } from "./text-findings.ts";

/** The findings, and what Intel says as far as it could be read. */
export interface CollateralResult {
  readonly findings: readonly Finding[];
  readonly tcbInfo: TcbInfo | null;
  readonly qeIdentity: QeIdentity | null;
}

/** In order: presence and form, both CRLs, issuer chains, signatures, then kind, number and dates of each text. */
export async function collateralFindings(question: TdxQuestion, endorsements: JsonValue): Promise<CollateralResult> {
  const reading = readCollateral(question, endorsements);
  if ("unread" in reading) return { findings: [reading.unread], tcbInfo: null, qeIdentity: null };
  const tcbInfo = readable(reading.tcbInfo);
  const qeIdentity = readable(reading.qeIdentity);
  return {
    findings: [
      ...COLLATERAL_PARTS.flatMap((part) => partFindings(part, reading)),
      ...(await signedFindings(question, reading)),
      ...meaningFindings(question, "tcbInfo", tcbInfo),
      ...meaningFindings(question, "qeIdentity", qeIdentity),
    ],
    tcbInfo: readable(tcbInfo?.meaning ?? null),
    qeIdentity: readable(qeIdentity?.meaning ?? null),
  };
}

/** Whatever takes a signature's verification, side by side. */
async function signedFindings(question: TdxQuestion, reading: CollateralReading): Promise<readonly Finding[]> {
  const rootCrl = readable(reading.rootCaCrl);
  const tcbInfoChain = readable(reading.tcbInfoIssuerChain);
  const qeIdentityChain = readable(reading.qeIdentityIssuerChain);
  const findings = await Promise.all([
    revocationFindings(question, rootCrl, readable(reading.pckCrl)),
    pckCrlIssuerFindings(question, readable(reading.pckCrlIssuerChain)),
    issuerChainFindings(question, [
      { part: "tcbInfo", chain: tcbInfoChain, rootCrl },
      { part: "qeIdentity", chain: qeIdentityChain, rootCrl },
    ]),
    textSignature(question, "tcbInfo", readable(reading.tcbInfo), tcbInfoChain),
    textSignature(question, "qeIdentity", readable(reading.qeIdentity), qeIdentityChain),
  ]);
  return findings.flat();
}

function readCollateral({ anchor }: TdxQuestion, value: JsonValue): CollateralReading | { readonly unread: Finding } {
  try {
    return anchor.readCollateral(value);
  } catch (error) {
    return { unread: unreadable(error) };
  }
}

function readable<T>(part: T | EncodingError | null): T | null {
  return part instanceof EncodingError ? null : part;
}

function unreadable(error: unknown): Finding {
  const failed = "These Endorsements cannot be read, so nothing they were to show is shown.";
  return malformed("authenticate", "endorsements-form", error, failed);
}

/** The CA that signs the PCK CRL is in the quote as well: its chain beside the CRL is compared, not needed. */
const optionalPart: CollateralPart = "pckCrlIssuerChain";

function partFindings(part: CollateralPart, reading: CollateralReading): readonly Finding[] {
  const read = reading[part];
  const presence = part === optionalPart ? [] : [collateralPresence(part, read !== null)];
  return read instanceof EncodingError ? [...presence, { ...unreadable(read), subject: part }] : presence;
}

function collateralPresence(part: CollateralPart, holds: boolean): Finding {
  return compared({
    step: "authenticate",
    check: "collateral-presence",
    subject: part,
    code: "missing-collateral",
    holds,
    expected: `Intel's ${part} beside the quote`,
    actual: holds ? "there" : "not there",
    passed: "What Intel says of the platform came with the quote.",
    failed: "Nothing shows whether Intel still vouches for this platform.",
    hint: "The box has to fetch its Endorsements from Intel, or from its cloud's cache of them.",
  });
}
