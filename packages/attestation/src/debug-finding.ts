/** Debug mode, the one comparison that every kind of TEE has: each says in its own words what the mode opens. */
import type { AppraisalPolicy } from "./appraisal-policy.ts";
import { compared, warned } from "./findings.ts";
import type { Finding } from "./types.ts";

/** How one kind of TEE shows debug mode. */
export interface DebugMode {
  readonly on: boolean;
  /** Left out where the hardware has a bit for it. */
  readonly shown?: { readonly expected: string; readonly actual: string };
  /** Why it is good news that the mode is off. */
  readonly passed: string;
  /** What the mode opens, and to whom. */
  readonly reason: string;
  readonly hint: string;
}

/** Fails where debug mode is on; a warning, if the policy says `debug: "allow"`. */
export function debugFinding(mode: DebugMode, policy: AppraisalPolicy): Finding {
  const { on, passed, reason, hint } = mode;
  const shown = mode.shown ?? { expected: "debug off", actual: on ? "debug on" : "debug off" };
  const comparison = { step: "platform", check: "debug", ...shown } as const;
  if (on && policy.debug === "allow") return warned({ ...comparison, reason });
  return compared({ ...comparison, code: "debug-enabled", holds: !on, passed, failed: reason, hint });
}
