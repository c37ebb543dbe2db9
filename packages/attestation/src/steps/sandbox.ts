/** Step 9: the application is held by a Sandbox that is acceptable and that held when it was tried. */
import { digest, formatSha256, utf8 } from "@blindbox/encoding";
import type { Appraisal } from "../appraisal.ts";
import { compared, malformed, skipped } from "../findings.ts";
import { parseSelfTest } from "../self-test.ts";
import type { EvidenceDocument, Finding, Statement } from "../types.ts";

/** Compares the driver with the policy's, the self-test's text with its digest, and its probes with the closed list. */
export async function appraiseSandbox({ document, statement, policy }: Appraisal): Promise<readonly Finding[]> {
  if (document === null || statement === null) {
    const unread = (check: string, expected: string): Finding =>
      skipped("sandbox", check, expected, "There is no readable Statement.");
    return [
      unread("sandbox-driver", policy.sandboxDrivers.join(" or ")),
      unread("self-test-digest", "the Statement's digest"),
      unread("self-test", `${policy.selfTestProbes.length} probes denied`),
    ];
  }
  return [
    compareDriver(statement, policy.sandboxDrivers),
    await compareDigest(document, statement),
    appraiseSelfTest(document.selfTest, policy.selfTestProbes),
  ];
}

function compareDriver({ sandbox }: Statement, accepted: readonly string[]): Finding {
  return compared({
    step: "sandbox",
    check: "sandbox-driver",
    holds: accepted.includes(sandbox.driver),
    expected: accepted.join(" or "),
    actual: sandbox.driver,
    passed: "The Sandbox's driver is one that the policy accepts.",
    failed: "The Sandbox's driver is none that the policy accepts.",
  });
}

async function compareDigest(document: EvidenceDocument, { sandbox }: Statement): Promise<Finding> {
  const actual = formatSha256(await digest("SHA-256", utf8(document.selfTest)));
  return compared({
    step: "sandbox",
    check: "self-test-digest",
    holds: actual === sandbox.selfTest,
    expected: sandbox.selfTest,
    actual,
    passed: "The self-test's result is the one that the box vouches for.",
    failed: "The self-test's result is not the one that the box vouches for.",
  });
}

function appraiseSelfTest(text: string, probes: readonly string[]): Finding {
  const failed = "The Sandbox was not tried in every way that the policy demands, or one way out was open.";
  try {
    const outcomes = parseSelfTest(text, probes);
    const open = probes.filter((probe) => outcomes[probe] !== "denied");
    return compared({
      step: "sandbox",
      check: "self-test",
      holds: open.length === 0,
      expected: `${probes.length} probes denied`,
      actual: open.length === 0 ? `${probes.length} probes denied` : `not denied: ${open.join(", ")}`,
      passed: "Every way out that was tried from inside the Sandbox was denied.",
      failed,
    });
  } catch (error) {
    return malformed("sandbox", "self-test", error, failed);
  }
}
