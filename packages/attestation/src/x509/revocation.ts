/** Is a certificate proven not to be revoked? A CRL must be there, authentic, current, recent enough, and not list it. */
import { equalBytes, toHex } from "@blindbox/encoding";
import { compared } from "../findings.ts";
import type { Finding } from "../types.ts";
import type { Certificate } from "./certificate.ts";
import type { Crl } from "./crl.ts";
import { unknownCritical } from "./extensions.ts";
import type { SignatureCheck } from "./known-signatures.ts";
import { isoTime } from "./time.ts";

/** What a CRL is judged by. */
export interface RevocationRules {
  /** Seconds since 1970. */
  readonly now: number;
  /** How old a CRL may be, in seconds. */
  readonly maxEndorsementAge: number;
  readonly minCrlNumber: number;
  /** Verifies certificates and CRLs. */
  readonly verifySignature: SignatureCheck;
}

/** Whether the certificate called `name` is proven not to be revoked by its issuer's CRL. No CRL, no proof. */
export async function verifyRevocation(
  name: string,
  certificate: Certificate,
  crl: Crl | null,
  issuer: Certificate,
  rules: RevocationRules,
): Promise<readonly Finding[]> {
  if (crl === null) return [missingCrl(name)];
  return [
    crlIssuer(name, crl, issuer),
    await crlSignature(name, crl, issuer, rules.verifySignature),
    crlValidity(name, crl, rules.now),
    crlAge(name, crl, rules),
    crlNumber(name, crl, rules.minCrlNumber),
    revocation(name, certificate, crl),
  ];
}

const refresh = "The box has to fetch its Endorsements anew.";

function missingCrl(name: string): Finding {
  return compared({
    step: "authenticate",
    check: "crl-presence",
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
    holds,
    expected: `a CRL of the ${name} certificate's issuer`,
    actual: holds ? "its CRL" : "another CA's CRL",
    passed: "The CRL is the issuer's.",
    failed: "The CRL is another CA's and says nothing of this certificate.",
    hint: refresh,
  });
}

async function crlSignature(
  name: string,
  crl: Crl,
  issuer: Certificate,
  verifySignature: SignatureCheck,
): Promise<Finding> {
  const unknown = unknownCritical(crl.extensions, []);
  const maySign = issuer.keyUsage?.crlSign ?? false;
  const signed = maySign && (await verifySignature(crl.algorithm, issuer.key, crl.signature, crl.signed));
  return compared({
    step: "authenticate",
    check: "crl-signature",
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
    holds: thisUpdate <= now && now <= nextUpdate,
    expected: `a CRL for the ${name} certificate that is current at ${isoTime(now)}`,
    actual: `${isoTime(thisUpdate)} to ${isoTime(nextUpdate)}`,
    passed: "The CRL is current.",
    failed: "The CRL is not current: what it does not list may have been revoked since.",
    hint: refresh,
  });
}

function crlAge(name: string, { thisUpdate }: Crl, { now, maxEndorsementAge }: RevocationRules): Finding {
  return compared({
    step: "authenticate",
    check: "crl-age",
    holds: now - thisUpdate <= maxEndorsementAge,
    expected: `a CRL for the ${name} certificate of at most ${maxEndorsementAge} s`,
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
    holds: number >= minCrlNumber,
    expected: `a CRL for the ${name} certificate of number ${minCrlNumber} or higher`,
    actual: String(number),
    passed: "The CRL is not one that the policy calls superseded.",
    failed: "The CRL is one that the policy calls superseded.",
    hint: refresh,
  });
}

function revocation(name: string, { serial }: Certificate, { revoked }: Crl): Finding {
  const listed = revoked.has(toHex(serial));
  return compared({
    step: "authenticate",
    check: "certificate-revocation",
    holds: !listed,
    expected: `${name} certificate not revoked`,
    actual: listed ? "revoked" : "not listed",
    passed: "The certificate's issuer has not revoked it.",
    failed: "The certificate's issuer has revoked it.",
    hint: "The box runs on hardware that must not be trusted any more: have it moved.",
  });
}
