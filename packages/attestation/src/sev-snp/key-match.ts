/** Verify: the endorsement key's certificate is the one for this report: its kind, its product, its TCB, its chip. */
import { equalBytes } from "@blindbox/encoding";
import { compared, skipped } from "../findings.ts";
import type { Finding } from "../types.ts";
import type { EndorsementKey } from "./endorsement-key.ts";
import type { SevSnpReport } from "./evidence.ts";
import type { KnownIssuer } from "./known-certificates.ts";
import { amdProducts, type AmdProduct, type Cpu } from "./products.ts";
import { hasLayout } from "./tcb.ts";

/** What the report is compared with. */
export interface KeyQuestion {
  readonly report: SevSnpReport;
  readonly ek: EndorsementKey;
  readonly issuer: KnownIssuer;
  readonly root: KnownIssuer;
  /** The product line of the pinned root; `null` where the root is not pinned. */
  readonly line: AmdProduct | null;
  /** `null` where it is not known. */
  readonly cpu: Cpu | null;
}

/** All that has to agree, in the order of the conformance cases. */
export function compareKey(question: KeyQuestion): readonly Finding[] {
  return [
    keyKind(question),
    productAgreement(question),
    tcbLayout(question),
    keyTcb(question),
    question.report.signingKey === "vlek" ? hiddenChip(question) : shownChip(question),
  ];
}

function keyKind({ report, ek }: KeyQuestion): Finding {
  return compared({
    step: "authenticate",
    check: "endorsement-key",
    code: ek.kind === null ? "bad-chain" : "signing-key-mismatch",
    holds: ek.kind !== null && ek.kind === report.signingKey,
    expected: `a certificate of the key that signed, a ${report.signingKey}, by its name and its extensions`,
    actual: ek.kind ?? "a certificate whose name and extensions do not agree on a kind of key",
    passed: "The certificate is for the kind of key that signed the report.",
    failed: "The certificate is for another kind of key than the one that signed the report.",
  });
}

/** Every place that names a product has to name the same one. */
function productAgreement(question: KeyQuestion): Finding {
  const { cpu, line } = question;
  const wrong = cpu === null ? ["the CPU has no known root"] : disagreements(question, cpu.line);
  return compared({
    step: "authenticate",
    check: "product-agreement",
    code: "bad-chain",
    holds: wrong.length === 0,
    expected: `one product, ${cpu?.line ?? line ?? "a known one"}, in report, certificate, issuer and root`,
    actual: wrong.length === 0 ? "that product" : wrong.join(", "),
    passed: "Report and certificates are of one product.",
    failed: "Report and certificates are of different products, or of one that is not known here.",
  });
}

function disagreements({ ek, issuer, root, line, report }: KeyQuestion, expected: AmdProduct): readonly string[] {
  const { name, productName, structVersion } = amdProducts[expected];
  const ofKind = report.signingKey === "vlek" ? "VLEK-" : "";
  return [
    ...(line === expected ? [] : ["the root is another's"]),
    ...(root.commonName === `ARK-${name}` ? [] : ["the root has another name"]),
    ...(issuer.commonName === `SEV-${ofKind}${name}` ? [] : ["the issuer has another name"]),
    ...(productName.test(ek.productName) ? [] : ["the certificate names another"]),
    ...(ek.structVersion === structVersion ? [] : [`the certificate has structure version ${ek.structVersion}`]),
  ];
}

function tcbLayout({ report, cpu }: KeyQuestion): Finding {
  const expected = "zero in every byte of a TCB that the product reserves";
  if (cpu === null) return skipped("authenticate", "tcb-layout", expected, "The product is not known.");
  const { reportedTcb, committedTcb, currentTcb, launchTcb } = report;
  const holds = [reportedTcb, committedTcb, currentTcb, launchTcb].every((tcb) => hasLayout(tcb, cpu.line));
  return compared({
    step: "authenticate",
    check: "tcb-layout",
    code: "reserved-not-zero",
    holds,
    expected,
    actual: holds ? "zero" : "one that is set",
    passed: "The TCBs are laid out as this product lays them out.",
    failed: "A TCB is laid out otherwise than this product lays it out.",
  });
}

/** The key is derived from the TCB, so a certificate for another TCB is one for another key. */
function keyTcb({ report, ek, cpu }: KeyQuestion): Finding {
  const expected = "a certificate for each component of the reported TCB, and no component more";
  if (cpu === null) return skipped("authenticate", "endorsement-key-tcb", expected, "The product is not known.");
  const layout = amdProducts[cpu.line].tcb;
  const differs = layout.flatMap(({ component, arc }, at) =>
    ek.versions.get(arc) === report.reportedTcb[at] ? [] : [component ?? `reserved byte ${at}`],
  );
  return compared({
    step: "authenticate",
    check: "endorsement-key-tcb",
    code: "tcb-mismatch",
    holds: differs.length === 0 && ek.versions.size === layout.length,
    expected,
    actual: differs.length === 0 ? `${ek.versions.size} components that agree` : `differs in ${differs.join(", ")}`,
    passed: "The key is the one of the TCB that the report names.",
    failed: "The certificate is for another TCB than the one that the report names.",
    hint: "The box has to fetch the certificate of its present TCB.",
  });
}

function shownChip({ report, ek, cpu }: KeyQuestion): Finding {
  const expected = "the hardware id of the certificate, whole, and zeros behind it";
  if (cpu === null) return skipped("authenticate", "chip-id", expected, "The product is not known.");
  const masked = isZero(report.chipId);
  const { hwidLength } = amdProducts[cpu.line];
  const same = ek.hwid?.length === hwidLength && equalBytes(ek.hwid, report.chipId.subarray(0, hwidLength));
  return compared({
    step: "authenticate",
    check: "chip-id",
    code: masked ? "chip-id-masked" : "hwid-mismatch",
    holds: !masked && same && isZero(report.chipId.subarray(hwidLength)),
    expected,
    actual: masked ? "no chip id at all" : same ? "that id" : "another",
    passed: "The report is of the chip that the certificate is for.",
    failed: masked
      ? "The host hid the chip's id, so nothing ties the report to the chip of the certificate."
      : "The report is of another chip than the certificate is for.",
    ...(masked ? { hint: "The host has to run without MASK_CHIP_ID." } : {}),
  });
}

/** A VLEK is of no chip, and the firmware then reports none. */
function hiddenChip({ report }: KeyQuestion): Finding {
  const holds = isZero(report.chipId);
  return compared({
    step: "authenticate",
    check: "chip-id",
    code: "hwid-mismatch",
    holds,
    expected: "no chip id, as with every VLEK",
    actual: holds ? "none" : "a chip id",
    passed: "The report names no chip, as it must with a VLEK.",
    failed: "The report names a chip, which no report signed by a VLEK does.",
  });
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
