/** Appraise: is the platform acceptable under the policy? What depends on the product stands in product-appraisal.ts. */
import { toHex } from "@blindbox/encoding";
import type { AppraisalPolicy } from "../appraisal-policy.ts";
import { debugFinding } from "../debug-finding.ts";
import { compared } from "../findings.ts";
import type { Finding } from "../types.ts";
import { guestPolicyOf, platformInfoOf, type GuestPolicy } from "./bits.ts";
import type { SevSnpReport } from "./evidence.ts";
import type { FeatureRules, SevSnpPolicy } from "./policy.ts";

/** Guest policy, privilege level, platform features, and the rules for keys and chips. */
export function appraiseReport(report: SevSnpReport, policy: AppraisalPolicy): readonly Finding[] {
  const guest = guestPolicyOf(report.policy);
  return [
    guestPolicyForm(guest),
    appraiseDebug(guest, policy),
    migrationAgent(guest, report),
    vmpl(report, policy.sevSnp),
    ...guestFeatures(guest, policy.sevSnp),
    guestAbi(guest, policy.sevSnp),
    ...platformFeatures(report, policy.sevSnp),
    keyKind(report, policy.sevSnp),
    chip(report, policy.sevSnp),
    idKey(report, policy.sevSnp),
    authorKey(report, policy.sevSnp),
  ];
}

function guestPolicyForm({ wellFormed }: GuestPolicy): Finding {
  return compared({
    step: "platform",
    check: "guest-policy-form",
    code: "reserved-not-zero",
    holds: wellFormed,
    expected: "a guest policy with bit 17 set and bits 26 to 63 clear",
    actual: wellFormed ? "such a one" : "another",
    passed: "Every condition of the guest's policy is known.",
    failed: "The guest's policy has conditions that are not known here, or is none.",
  });
}

function appraiseDebug({ debug }: GuestPolicy, policy: AppraisalPolicy): Finding {
  const passed = "The guest's policy forbids debugging.";
  const reason = "In debug mode the host reads and writes the guest's memory.";
  const hint = "Launch the guest with a policy that forbids debugging.";
  return debugFinding({ on: debug, passed, reason, hint }, policy);
}

function migrationAgent({ migrationAgent: allowed }: GuestPolicy, { reportIdMa }: SevSnpReport): Finding {
  const bound = reportIdMa.some((byte) => byte !== 0xff);
  return compared({
    step: "platform",
    check: "migration-agent",
    code: "migrate-ma",
    holds: !allowed && !bound,
    expected: "no migration agent, allowed or bound",
    actual: `${allowed ? "allowed" : "not allowed"}, ${bound ? "bound" : "not bound"}`,
    passed: "Nobody may move the guest's memory elsewhere.",
    failed: "A migration agent may hand the guest's memory to another machine.",
  });
}

function vmpl({ vmpl: level }: SevSnpReport, { vmpls }: SevSnpPolicy): Finding {
  return compared({
    step: "platform",
    check: "vmpl",
    code: "vmpl-mismatch",
    holds: vmpls.includes(level),
    expected: `privilege level ${vmpls.join(" or ")}`,
    actual: level <= 3 ? String(level) : "none: the host asked for this report",
    passed: "The report was asked for at an accepted privilege level.",
    failed: "The report was asked for at another privilege level, by other code than the measured one.",
  });
}

interface Feature {
  readonly name: string;
  readonly on: boolean;
  readonly wanted: boolean;
}

/** Each feature that the policy speaks of; what it leaves open is compared with nothing. */
function demanded<Name extends string>(present: readonly Name[], rules: FeatureRules<Name>): readonly Feature[] {
  const feature = (wanted: boolean) => (name: Name) => ({ name, wanted, on: present.includes(name) });
  return [...rules.require.map(feature(true)), ...rules.forbid.map(feature(false))];
}

function onOff(on: boolean): string {
  return on ? "on" : "off";
}

function guestFeatures({ features }: GuestPolicy, { guestPolicy }: SevSnpPolicy): readonly Finding[] {
  return demanded(features, guestPolicy).map(({ name, on, wanted }) =>
    compared({
      step: "platform",
      check: "guest-policy",
      subject: name,
      code: "guest-policy-mismatch",
      holds: on === wanted,
      expected: `${name} ${onOff(wanted)} in the guest's policy`,
      actual: onOff(on),
      passed: "The guest was launched as the policy demands.",
      failed: "The guest was launched otherwise than the policy demands.",
    }),
  );
}

function guestAbi({ abiMajor, abiMinor }: GuestPolicy, { minAbi }: SevSnpPolicy): Finding {
  return compared({
    step: "platform",
    check: "guest-abi",
    code: "guest-policy-mismatch",
    holds: abiMajor > minAbi.major || (abiMajor === minAbi.major && abiMinor >= minAbi.minor),
    expected: `a guest that demands firmware ABI ${minAbi.major}.${minAbi.minor} or higher`,
    actual: `${abiMajor}.${abiMinor}`,
    passed: "The guest demands a firmware ABI that the policy accepts.",
    failed: "The guest would run on a firmware ABI that the policy does not accept.",
  });
}

function platformFeatures({ platformInfo }: SevSnpReport, policy: SevSnpPolicy): readonly Finding[] {
  const { wellFormed, features } = platformInfoOf(platformInfo);
  const reserved = compared({
    step: "platform",
    check: "platform-info",
    subject: "reserved",
    code: "reserved-not-zero",
    holds: wellFormed,
    expected: "bits 8 to 63 of the platform info clear",
    actual: wellFormed ? "clear" : "one of them set",
    passed: "Every feature that the platform reports is known.",
    failed: "The platform reports a feature that is not known here.",
  });
  return [reserved, ...demanded(features, policy.platformInfo).map(platformFeature)];
}

function platformFeature({ name, on, wanted }: Feature): Finding {
  return compared({
    step: "platform",
    check: "platform-info",
    subject: name,
    code: "platform-info-mismatch",
    holds: on === wanted,
    expected: `${name} ${onOff(wanted)}`,
    actual: onOff(on),
    passed: "The platform is set up as the policy demands.",
    failed: "The platform is set up otherwise than the policy demands.",
    hint: "Have the host's firmware updated or set up anew, or move the box.",
  });
}

function keyKind({ signingKey }: SevSnpReport, { endorsementKeys }: SevSnpPolicy): Finding {
  return compared({
    step: "platform",
    check: "endorsement-key-kind",
    code: "unsupported-key-type",
    holds: endorsementKeys.some((kind) => kind === signingKey),
    expected: endorsementKeys.join(" or "),
    actual: signingKey,
    passed: "The policy accepts this kind of key.",
    failed: "The policy does not accept this kind of key.",
  });
}

function chip({ chipId }: SevSnpReport, { chips }: SevSnpPolicy): Finding {
  const { allow, deny } = chips;
  const id = toHex(chipId);
  const hidden = /^0+$/.test(id);
  const listed = allow === "any" || allow.includes(id);
  // A chip that is denied could hide its id.
  const denied = deny.includes(id) || (hidden && deny.length > 0);
  return compared({
    step: "platform",
    check: "chip",
    code: "chip-not-allowed",
    holds: listed && !denied,
    expected: `a chip that the policy ${allow === "any" ? "does not deny" : "lists"}`,
    actual: hidden ? "a chip that does not show its id" : id,
    passed: "The policy accepts this chip.",
    failed: "The policy does not accept this chip.",
    hint: "Have the box moved to another machine.",
  });
}

function idKey({ idKeyDigest }: SevSnpReport, { idKeyDigests }: SevSnpPolicy): Finding {
  const check = { step: "platform", check: "id-key", code: "id-key-mismatch" } as const;
  return compared({ ...check, ...signer("ID block", toHex(idKeyDigest), true, idKeyDigests) });
}

/** The firmware fills the digest in only where it checked an author key; else the field says nothing. */
function authorKey({ authorKeyDigest, authorKeyEnabled }: SevSnpReport, { authorKeyDigests }: SevSnpPolicy): Finding {
  const check = { step: "platform", check: "author-key", code: "author-key-mismatch" } as const;
  return compared({ ...check, ...signer("ID key", toHex(authorKeyDigest), authorKeyEnabled, authorKeyDigests) });
}

interface Signer {
  readonly holds: boolean;
  readonly expected: string;
  readonly actual: string;
  readonly passed: string;
  readonly failed: string;
}

function signer(what: string, digest: string, checked: boolean, accepted: "any" | readonly string[]): Signer {
  const holds = accepted === "any" || (checked && accepted.includes(digest));
  return {
    holds,
    expected: accepted === "any" ? `an ${what} signed by anybody` : `an ${what} signed by a key that the policy lists`,
    actual: checked ? digest : "signed by nobody",
    passed: `The policy accepts who signed the ${what}.`,
    failed: `The policy does not accept who signed the ${what}.`,
  };
}
