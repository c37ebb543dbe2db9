import { SandboxError } from "../errors.ts";
import type { Capability } from "../kernel/constants.ts";
import type { Controller } from "./control-group.ts";

/**
 * The floor under all drivers counts the processes of each user alone (rlimits.ts), so whoever may become others needs a
 * control group that counts them together.
 *
 * @throws SandboxError `limits-refused`
 */
export function demandCount(capabilities: readonly Capability[], inForce: ReadonlySet<Controller>): void {
  if (!capabilities.includes("CAP_SETUID") || inForce.has("pids")) return;
  const reason = "there is no control group that counts the processes of many users together";
  throw new SandboxError("limits-refused", reason, "Mount the pids controller, or set `app.users: one`.");
}
