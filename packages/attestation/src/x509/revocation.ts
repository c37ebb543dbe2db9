/** Is a certificate proven not to be revoked? A CRL must be there, authentic, current, recent enough, and not list it. */
import { equalBytes, toHex } from "@blindbox/encoding";
import type { EndorsementKind } from "../endorsement-kinds.ts";
import { compared } from "../findings.ts";
import type { Finding } from "../types.ts";
import type { SignatureAlgorithm } from "./algorithms.ts";
import type { Certificate } from "./certificate.ts";
import type { Crl } from "./crl.ts";
import { unknownCritical } from "./extensions.ts";
import type { SignatureCheck } from "./known-signatures.ts";
import { isoTime } from "./time.ts";

/** Where the revocation of one certificate is looked up, and what the CRL is judged by. */
export interface RevocationSource {
  /** The CRL of the certificate's issuer; `null` where none came, which is a failure. */
  readonly crl: Crl | null;
  /** The kind of Endorsement, as the policy names its age: subject of the Finding about it. */
  readonly kind: EndorsementKind;
  /** How old the CRL may be, in seconds. */
  readonly maxAge: number;
  readonly minNumber: number;
}

/** One certificate's revocation. */
export interface RevocationQuestion extends RevocationSource {
  /** What the certificate is called in findings. */
  readonly name: string;
  readonly certificate: Certificate;
  readonly issuer: Certificate;
  /** Seconds since 1970. */
  readonly now: number;
  readonly verifySignature: SignatureCheck;
  /** The algorithms that a CRL of this kind of chain is signed with. */
  readonly algorithms: readonly SignatureAlgorithm[];
}

/** Whether a certificate is proven not to be revoked by its issuer's CRL. No CRL, no proof. */
export async function verifyRevocation(question: RevocationQuestion): Promise<readonly Finding[]> {
  const { name, certificate, crl, issuer, now } = question;
  if (crl === null) return [missingCrl(name)];
  return [
    crlIssuer(name, crl, issuer),
    await crlSignature(question, crl),
    crlValidity(name, crl, now),
    crlAge(question, crl),
    crlNumber(name, crl, question.minNumber),
    certificateRevocation(name, certificate, crl),
  ];
}

const refresh = "The box has to fetch its Endorsements anew.";

function missingCrl(name: string): Finding {
  return compared({
    step: "authenticate",
    check: "crl-presence",
    subject: name,
    code: "missing-endorsement",
    holds: false,
    expected: `a CRL of the ${name} certificate's issuer`,
    actual: "none",
    passed: "",
    failed: "Nothing proves that the certificate is not revoked.",
    hint: refresh,
  });
}

function crlIssuer(name: string, crl: Crl, issuer: Certificate): Finding {
  const holds = equalBytes(crl.issuer, issuer.subject);
  return compared({
    step: "authenticate",
    check: "crl-issuer",
    subject: name,
    code: "crl-bad-signature",
    holds,
    expected: `a CRL of the ${name} certificate's issuer`,
    actual: holds ? "its CRL" : "another CA's CRL",
    passed: "The CRL is the issuer's.",
    failed: "The CRL is another CA's and says nothing of this certificate.",
    hint: refresh,
  });
}

async function crlSignature(question: RevocationQuestion, crl: Crl): Promise<Finding> {
  const { name, issuer, verifySignature, algorithms } = question;
  const unknown = unknownCritical(crl.extensions, []);
  const maySign = (issuer.keyUsage?.crlSign ?? false) && algorithms.includes(crl.algorithm);
  const signed = maySign && (await verifySignature(crl.algorithm, issuer.key, crl.signature, crl.signed));
  return compared({
    step: "authenticate",
    check: "crl-signature",
    subject: name,
    code: "crl-bad-signature",
    holds: signed && unknown.length === 0,
    expected: `a complete CRL signed by the ${name} certificate's issuer, which may sign CRLs`,
    actual: `${signed ? "signed by it" : "not signed by it"}, unknown critical extensions: ${unknown.join(", ") || "none"}`,
    passed: "The CRL is authentic.",
    failed: "The CRL is forged, not complete, or by a key that may not sign CRLs.",
    hint: refresh,
  });
}

function crlValidity(name: string, { thisUpdate, nextUpdate }: Crl, now: number): Finding {
  return compared({
    step: "authenticate",
    check: "crl-validity",
    subject: name,
    code: now < thisUpdate ? "crl-not-yet-valid" : "crl-expired",
    holds: thisUpdate <= now && now <= nextUpdate,
    expected: `a CRL for the ${name} certificate that is current at ${isoTime(now)}`,
    actual: `${isoTime(thisUpdate)} to ${isoTime(nextUpdate)}`,
    passed: "The CRL is current.",
    failed: "The CRL is not current: what it does not list may have been revoked since.",
    hint: refresh,
  });
}

function crlAge({ name, kind, now, maxAge }: RevocationQuestion, { thisUpdate }: Crl): Finding {
  return compared({
    step: "authenticate",
    check: "endorsement-age",
    subject: kind,
    code: "endorsement-too-old",
    holds: now - thisUpdate <= maxAge,
    expected: `a CRL for the ${name} certificate of at most ${maxAge} s`,
    actual: `${now - thisUpdate} s`,
    passed: "The CRL is as recent as the policy demands.",
    failed: "The CRL is older than the policy allows.",
    hint: refresh,
  });
}

function crlNumber(name: string, { number }: Crl, minCrlNumber: number): Finding {
  return compared({
    step: "authenticate",
    check: "crl-number",
    subject: name,
    code: "crl-number-too-low",
    holds: number !== null && number >= minCrlNumber,
    expected: `a CRL for the ${name} certificate of number ${minCrlNumber} or higher`,
    actual: number === null ? "a CRL without a number" : String(number),
    passed: "The CRL is not one that the policy calls superseded.",
    failed: "The CRL is one that the policy calls superseded.",
    hint: refresh,
  });
}

/** Whether a CRL lists a certificate. That it is the issuer's CRL, authentic and current, {@link verifyRevocation} says. */
export function certificateRevocation(name: string, { serial }: Certificate, { revoked }: Crl): Finding {
  const listed = revoked.has(toHex(serial));
  return compared({
    step: "authenticate",
    check: "certificate-revocation",
    subject: name,
    code: "revoked",
    holds: !listed,
    expected: `${name} certificate not revoked`,
    actual: listed ? "revoked" : "not listed",
    passed: "The certificate's issuer has not revoked it.",
    failed: "The certificate's issuer has revoked it.",
    hint: "The box runs on hardware that must not be trusted any more: have it moved.",
  });
}
