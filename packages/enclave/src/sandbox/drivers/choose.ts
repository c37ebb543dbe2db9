import type { DriverChoice, SandboxSpec } from "../../parts.ts";
import type { DriverPlan } from "./driver.ts";
import { rooted } from "./rooted.ts";
import { unprivileged } from "./unprivileged.ts";

/** `auto` goes by who we are; neither driver stands in for the other where it fails. */
export function chooseDriver(spec: SandboxSpec, choice: DriverChoice): DriverPlan {
  if (choice === "auto") return process.geteuid?.() === 0 ? rooted(spec) : unprivileged(spec);
  return choice === "rooted" ? rooted(spec) : unprivileged(spec);
}
