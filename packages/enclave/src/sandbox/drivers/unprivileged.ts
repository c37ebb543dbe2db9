/** For an ordinary user without any capability: one id, and only the limits that every process may set. */
import type { AppUser, SandboxSpec } from "../../parts.ts";
import { SandboxError } from "../errors.ts";
import { oneId } from "../ids.ts";
import { NO_CONTROL_GROUPS } from "../limits/control-groups.ts";
import type { DriverPlan } from "./driver.ts";

/**
 * @throws SandboxError `driver-unavailable` for the host's root, whose id the application would have, and where the
 * application needs more than one user.
 */
export function unprivileged({ user, users }: SandboxSpec, host: AppUser = ownIds()): DriverPlan {
  if (users === "many") {
    const reason = "the application needs many users, and an ordinary user can give it one";
    throw new SandboxError("driver-unavailable", reason, "Start as root, or set `app.users: one`.");
  }
  if (host.uid === 0 || host.gid === 0) {
    const reason = "the application would be the host's root";
    throw new SandboxError("driver-unavailable", reason, "Start as an ordinary user, or take the rooted driver.");
  }
  return {
    driver: "unprivileged",
    ids: oneId(user, host),
    owner: host,
    root: { clearGroups: false },
    capabilities: [],
    placeRootfs: false,
    makeControlGroups: () => NO_CONTROL_GROUPS,
  };
}

function ownIds(): AppUser {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}
