/** Appraise what depends on the product: is it accepted, and is its TCB high enough? Version 2 names it in no other place. */
import type { AppraisalPolicy } from "../appraisal-policy.ts";
import { compared, skipped } from "../findings.ts";
import type { Finding } from "../types.ts";
import type { EndorsementKey } from "./endorsement-key.ts";
import type { SevSnpReport } from "./evidence.ts";
import type { Cpu, TcbComponent } from "./products.ts";
import { componentsOf, isAtMost, tcbText } from "./tcb.ts";

/** The product, its floors, and the order of its TCBs. `cpu` is `null` where it is not known. */
export function appraiseProduct(
  report: SevSnpReport,
  cpu: Cpu | null,
  { sevSnp }: AppraisalPolicy,
): readonly Finding[] {
  if (cpu === null) return unknownProduct("The product is not known.");
  const floors = sevSnp.products[cpu.product];
  const product = compareProduct(cpu, floors !== null);
  if (floors === null) return [product, noFloor("The policy has no floor for this product."), tcbOrder(report, cpu)];
  return [product, ...tcbFloors(report, cpu, { ...floors }), tcbOrder(report, cpu)];
}

function unknownProduct(reason: string): readonly Finding[] {
  return [
    skipped("platform", "product", "a product that the policy accepts", reason),
    noFloor(reason),
    skipped("platform", "tcb-order", "reported, committed and current TCB in this order", reason),
  ];
}

function noFloor(reason: string): Finding {
  return skipped("platform", "tcb", "a TCB at or above the policy's floor", reason);
}

function compareProduct({ product }: Cpu, holds: boolean): Finding {
  return compared({
    step: "platform",
    check: "product",
    code: "product-mismatch",
    holds,
    expected: "a product that the policy accepts",
    actual: product,
    passed: "The policy accepts this product.",
    failed: "The policy does not accept this product.",
  });
}

/**
 * One Finding a component. Launch counts as well: firmware that could be broken when it measured the guest may have measured
 * anything.
 */
function tcbFloors(
  report: SevSnpReport,
  { line }: Cpu,
  floors: Readonly<Partial<Record<TcbComponent, number>>>,
): readonly Finding[] {
  const tcbs = { reported: report.reportedTcb, committed: report.committedTcb, launch: report.launchTcb };
  const read = Object.entries(tcbs).map(([name, tcb]) => ({ name, versions: new Map(componentsOf(tcb, line)) }));
  return componentsOf(report.reportedTcb, line).map(([component]) => {
    const floor = floors[component];
    const versions = read.map(({ name, versions: of }) => ({ name, version: of.get(component) ?? -1 }));
    return compared({
      step: "platform",
      check: "tcb",
      subject: component,
      code: "tcb-below-minimum",
      holds: floor !== undefined && versions.every(({ version }) => version >= floor),
      expected: `${component} ${floor ?? "that the policy names"} or higher, reported, committed and at launch`,
      actual: versions.map(({ name, version }) => `${name} ${version}`).join(", "),
      passed: "The platform is at or above the policy's floor.",
      failed: "The platform is below the policy's floor: it may have faults that are mended since.",
      hint: "Have the host's firmware updated and committed, or move the box.",
    });
  });
}

/** What is committed cannot be rolled back, and nothing reports more than is committed. */
function tcbOrder(report: SevSnpReport, { line }: Cpu): Finding {
  const { reportedTcb, committedTcb, currentTcb } = report;
  return compared({
    step: "platform",
    check: "tcb-order",
    code: "tcb-order",
    holds: isAtMost(reportedTcb, committedTcb, line) && isAtMost(committedTcb, currentTcb, line),
    expected: "no component reported above what is committed, nor committed above what runs",
    actual: [
      `reported ${tcbText(reportedTcb, line)}`,
      `committed ${tcbText(committedTcb, line)}`,
      `current ${tcbText(currentTcb, line)}`,
    ].join("; "),
    passed: "The TCBs stand in the order in which every platform gives them.",
    failed: "The TCBs stand in an order in which no platform gives them.",
  });
}

/** Whose VLEK it is; nothing where the chip's own key signed. `ek` is `null` where it could not be read. */
export function appraiseCloud(
  { signingKey }: SevSnpReport,
  ek: EndorsementKey | null,
  { sevSnp }: AppraisalPolicy,
): readonly Finding[] {
  const expected = "a VLEK of a cloud that the policy names";
  if (signingKey !== "vlek") return [];
  if (ek === null) return [skipped("platform", "csp-id", expected, "There is no readable certificate.")];
  const holds = ek.cspId !== null && (sevSnp.cspIds === "any" || sevSnp.cspIds.includes(ek.cspId));
  return [
    compared({
      step: "platform",
      check: "csp-id",
      code: "cloud-not-allowed",
      holds,
      expected,
      actual: holds ? "one of them" : "another, or none",
      passed: "The policy accepts this cloud's key.",
      failed: "The policy does not accept this cloud's key.",
    }),
  ];
}
