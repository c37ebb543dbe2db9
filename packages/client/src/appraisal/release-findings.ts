import type { Claims, Finding } from "@blindbox/attestation";
import { assessRelease, type Difference, type Release } from "@blindbox/release";

/** A Release and the labels by which the Verifier's claims name it. */
export interface LabelledRelease {
  readonly release: Release;
  readonly labels: readonly string[];
}

/** What the Release that the box runs lacks for being trusted in full: each a warning, never silence. */
export function assessAcceptedRelease(claims: Claims, releases: readonly LabelledRelease[]): readonly Finding[] {
  const accepted = releases.filter(({ labels }) => claims.release !== null && labels.includes(claims.release));
  if (accepted.length === 0) return [unassessed];
  return accepted.flatMap(({ release }) => assessRelease(release).map(warningOf));
}

const unassessed: Finding = {
  step: "release",
  check: "release-accepted",
  status: "skipped",
  expected: "one of the accepted Releases",
  actual: "not compared",
  reason: "The box runs none of the accepted Releases, so there is none to assess.",
};

function warningOf({ code, expected, actual, reason, hint }: Difference): Finding {
  return {
    step: "release",
    check: `release-${code}`,
    status: "warning",
    expected,
    actual,
    reason: sentence(reason),
    hint,
  };
}

/** Findings speak in sentences; the differences of a Release are phrases. */
function sentence(phrase: string): string {
  return `${phrase.charAt(0).toUpperCase()}${phrase.slice(1)}.`;
}
