/** What a check is for, and where what it compares is specified. */
import type { Step, TeeKind } from "@blindbox/attestation";
import { appraisalExplanations } from "./appraisal.ts";
import { certificateExplanations } from "./certificates.ts";
import { connectionExplanations } from "./connection.ts";
import { hardwareExplanations } from "./hardware.ts";
import { intelExplanations } from "./intel.ts";
import type { Explanation, Explanations } from "./types.ts";

const tables: readonly Explanations[] = [
  connectionExplanations,
  certificateExplanations,
  intelExplanations,
  appraisalExplanations,
];

/** The explanation of a check of one kind of TEE; `null` for a check that has none. */
export function explanationOf(check: string, tee: TeeKind | null): Explanation | null {
  const own = tee === null ? undefined : hardwareExplanations[tee][check];
  if (own !== undefined) return own;
  // Azure's Evidence holds that of the hardware below: its checks keep their names.
  const all = [...tables, ...Object.values(hardwareExplanations)];
  return all.map((table) => table[check]).find((found) => found !== undefined) ?? null;
}

/** The steps in their order, as docs/verify.md counts them. */
export const stepNames: readonly Step[] = [
  "parse",
  "authenticate",
  "platform",
  "measurement",
  "binding",
  "freshness",
  "channel",
  "manifest",
  "sandbox",
  "release",
];

/** Where our own page says more of a step. */
export function pageOf(step: Step): string {
  return `docs/verify.md, step ${stepNames.indexOf(step) + 1}`;
}
