import { type Claims, type Finding, parseEvidenceDocument } from "@blindbox/attestation";
import { EncodingError } from "@blindbox/encoding";
import {
  type CheckedRequirement,
  compareRequirement,
  type Manifest,
  manifestDigest,
  ManifestError,
  parseManifest,
  type RequirementDifference,
  type RequirementPart,
} from "@blindbox/manifest";
import type { SandboxDriver } from "../options/requirement.ts";

/** What is required by meaning. */
export interface RequiredMeaning {
  readonly meaning: CheckedRequirement;
  readonly sandbox: readonly SandboxDriver[];
}

/**
 * Does the Manifest in force mean no more than the caller requires, and is the sandbox one that it accepts? One finding for
 * each part that does not go beyond, and one for each principal, rule or right that does. The text that was shown counts
 * only where its digest is the one that the Statement names.
 */
export async function compareRequiredMeaning(
  claims: Claims,
  required: RequiredMeaning,
  document: Uint8Array | string,
): Promise<readonly Finding[]> {
  if (claims.manifest === null) return [unread("There is no readable Statement.")];
  const text = shownManifest(document);
  if (text === null || (await manifestDigest(text)) !== claims.manifest) {
    return [unread("The Manifest that was shown is not the one that the Statement names.")];
  }
  const manifest = readManifest(text);
  if (manifest === null) return [unreadable];
  return [...(await compareParts(manifest, required.meaning)), compareDriver(claims, required.sandbox)];
}

function shownManifest(document: Uint8Array | string): string | null {
  try {
    return parseEvidenceDocument(document).manifest;
  } catch (error) {
    if (error instanceof EncodingError) return null;
    throw error;
  }
}

function readManifest(text: string): Manifest | null {
  try {
    return parseManifest(text);
  } catch (error) {
    if (error instanceof ManifestError) return null;
    throw error;
  }
}

const comparison = {
  step: "manifest",
  check: "manifest-meaning",
  expected: "a Manifest within the requirement",
} as const;

function unread(reason: string): Finding {
  return { ...comparison, status: "skipped", actual: "not compared", reason };
}

const unreadable: Finding = {
  ...comparison,
  status: "failed",
  actual: "a Manifest that this version cannot read",
  reason: "What the Manifest means cannot be decided.",
  hint: "Update the client, or require a Manifest that you have read by its digest.",
};

/** What each part is called in findings, and what it is when nothing goes beyond. */
const parts: readonly (Pick<Finding, "check" | "expected" | "reason"> & { readonly part: RequirementPart })[] = [
  {
    part: "app",
    check: "image-required",
    expected: "the accepted image",
    reason: "The image that runs is one that the requirement accepts.",
  },
  {
    part: "principals",
    check: "principals-required",
    expected: "accepted callers only",
    reason: "The box admits no caller that the requirement does not accept.",
  },
  {
    part: "websocket",
    check: "websocket-required",
    expected: "WebSockets only where accepted",
    reason: "No caller may have a WebSocket unless the requirement accepts that.",
  },
  {
    part: "recorded",
    check: "recorded-required",
    expected: "an access log as full as required",
    reason: "The access log tells of all requests that the requirement wants told.",
  },
  {
    part: "egress",
    check: "egress-required",
    expected: "accepted ways out only",
    reason: "The application can reach nothing that the requirement does not accept.",
  },
  {
    part: "logs",
    check: "logs-required",
    expected: "no more logs than accepted",
    reason: "No more leaves the box as a log than the requirement accepts.",
  },
  {
    part: "operations",
    check: "operations-required",
    expected: "no more told to whoever runs the box than accepted",
    reason: "Health and metrics tell whoever runs the box no more than the requirement accepts.",
  },
  {
    part: "audit",
    check: "audit-required",
    expected: "accepted auditors only",
    reason: "Nobody may read the egress ledger and the access log whom the requirement does not grant that.",
  },
];

async function compareParts(manifest: Manifest, meaning: CheckedRequirement): Promise<readonly Finding[]> {
  const differences = await compareRequirement(manifest, meaning);
  return parts.flatMap(({ part, ...within }) => {
    const beyond = differences.filter((difference) => difference.part === part);
    if (beyond.length > 0) return beyond.map((difference) => excess(within.check, difference));
    return [{ ...within, step: "manifest", status: "passed", actual: within.expected } satisfies Finding];
  });
}

function excess(check: string, { path, expected, actual, reason }: RequirementDifference): Finding {
  return {
    step: "manifest",
    check,
    status: "failed",
    expected,
    actual: `${actual} (${path})`,
    reason: `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`,
    hint: "Do not send data, or widen `require` if that is acceptable.",
  };
}

function compareDriver({ sandboxDriver }: Claims, accepted: readonly SandboxDriver[]): Finding {
  const driver = { step: "sandbox", check: "sandbox-required", expected: accepted.join(" or ") } as const;
  if (accepted.some((each) => each === sandboxDriver)) {
    const reason = "The sandbox is of a driver that the caller requires.";
    return { ...driver, status: "passed", actual: String(sandboxDriver), reason };
  }
  const reason = "The sandbox is of another driver than the caller requires.";
  return { ...driver, status: "failed", actual: String(sandboxDriver), reason };
}
