/** For the host's root: many ids, control groups, the owners of the image's files. */
import { readFileSync } from "node:fs";
import type { AppUser, SandboxSpec } from "../../parts.ts";
import { SandboxError } from "../errors.ts";
import { FIRST_HOST_ID, ID_COUNT, manyIds } from "../ids.ts";
import { CAPABILITY, type Capability } from "../kernel/constants.ts";
import { createControlGroups } from "../limits/control-groups.ts";
import type { DriverPlan } from "./driver.ts";

/** capabilities(7). What containers leave their root with does not suffice. */
const NEEDED = ["CAP_CHOWN", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SYS_ADMIN"] as const;

/**
 * What a root needs that drops to other users: it gives them files, becomes them, ends them, and looks after what is theirs.
 * Nothing here reaches beyond the ids of the application's own user namespace, which owns no other namespace.
 */
const CHANGE_USERS: readonly Capability[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
];

/** @throws SandboxError `driver-unavailable` where this process may not do it, or the image uses other ids. */
export function rooted({ user, users, resources, scratch }: SandboxSpec): DriverPlan {
  demandCapabilities();
  if (!isMapped(user)) {
    throw new SandboxError("driver-unavailable", `user and group must be below ${ID_COUNT}`, "Set `app.user`.");
  }
  return {
    driver: "rooted",
    ids: manyIds(user),
    owner: { uid: FIRST_HOST_ID + user.uid, gid: FIRST_HOST_ID + user.gid },
    root: { clearGroups: true },
    // Who does not start as root could use none of them: no program gives more than its caller had.
    capabilities: users === "many" && user.uid === 0 ? CHANGE_USERS : [],
    placeRootfs: true,
    makeControlGroups: () => createControlGroups(resources, scratch),
  };
}

function isMapped({ uid, gid }: AppUser): boolean {
  return [uid, gid].every((id) => Number.isInteger(id) && id >= 0 && id < ID_COUNT);
}

function demandCapabilities(): void {
  const status = readFileSync("/proc/self/status", "latin1");
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  const missing = NEEDED.filter((name) => ((effective >> BigInt(CAPABILITY[name])) & 1n) === 0n);
  if (missing.length === 0) return;
  throw new SandboxError(
    "driver-unavailable",
    `this root lacks ${missing.join(", ")}`,
    "Grant them, or start as an ordinary user.",
  );
}
