/** When a document was made: within its own chain's validity, and not long before `now`. */
import type { AppraisalPolicy } from "../appraisal-policy.ts";
import { compared } from "../findings.ts";
import type { Finding } from "../types.ts";
import { isoTime } from "../x509/time.ts";
import type { NitroChain } from "./chain.ts";
import type { NitroDocument } from "./evidence.ts";

/** A module signs only while its certificate is valid: a document of another time was not made by it in good order. */
export function compareTime({ timestamp }: NitroDocument, { root, issuers, leaf }: NitroChain): Finding {
  const chain = [root, ...issuers, leaf].map(({ certificate }) => certificate);
  const notBefore = Math.max(...chain.map((each) => each.notBefore));
  const notAfter = Math.min(...chain.map((each) => each.notAfter));
  const made = secondsOf(timestamp);
  return compared({
    step: "authenticate",
    check: "document-time",
    code: made < notBefore ? "not-yet-valid" : "expired",
    holds: notBefore <= made && made <= notAfter,
    expected: `a document made while its chain was valid, ${isoTime(notBefore)} to ${isoTime(notAfter)}`,
    actual: isoTime(made),
    passed: "The document was made while its chain was valid.",
    failed: "The document says that it was made while its chain was not valid.",
  });
}

/** The age of the document by the hypervisor's clock, which is not the enclave's host's to set. */
export function appraiseAge({ timestamp }: NitroDocument, policy: AppraisalPolicy, now: number): Finding {
  const { maxDocumentAge } = policy.nitro;
  const age = now - secondsOf(timestamp);
  return compared({
    step: "authenticate",
    check: "evidence-age",
    code: "evidence-too-old",
    holds: -policy.maxClockSkew <= age && age <= maxDocumentAge,
    expected: `a document at most ${maxDocumentAge} s old, and no more than ${policy.maxClockSkew} s ahead of now`,
    actual: age < 0 ? `${-age} s ahead` : `${age} s old`,
    passed: "The document was made just now.",
    failed: "The document is old, or the clocks disagree.",
    hint: "Ask again; if it stays so, compare this machine's clock.",
  });
}

function secondsOf(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
