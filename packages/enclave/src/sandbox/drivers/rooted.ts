/** For the host's root: many ids, control groups, the owners of the image's files. */
import { readFileSync } from "node:fs";
import type { AppUser, SandboxSpec } from "../../parts.ts";
import { SandboxError } from "../errors.ts";
import { FIRST_HOST_ID, ID_COUNT, manyIds } from "../ids.ts";
import { createControlGroups } from "../limits/control-groups.ts";
import type { DriverPlan } from "./driver.ts";

/** capabilities(7). What containers leave their root with does not suffice. */
const NEEDED = { CAP_CHOWN: 0, CAP_KILL: 5, CAP_SETGID: 6, CAP_SETUID: 7, CAP_SYS_ADMIN: 21 };

/** @throws SandboxError `driver-unavailable` where this process may not do it, or the image uses other ids. */
export function rooted({ user, resources, scratch }: SandboxSpec): DriverPlan {
  demandCapabilities();
  if (!isMapped(user)) {
    throw new SandboxError("driver-unavailable", `user and group must be below ${ID_COUNT}`, "Set `app.user`.");
  }
  return {
    driver: "rooted",
    ids: manyIds(user),
    owner: { uid: FIRST_HOST_ID + user.uid, gid: FIRST_HOST_ID + user.gid },
    root: { clearGroups: true },
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
  const missing = Object.entries(NEEDED).filter(([, bit]) => ((effective >> BigInt(bit)) & 1n) === 0n);
  if (missing.length === 0) return;
  const names = missing.map(([name]) => name).join(", ");
  throw new SandboxError("driver-unavailable", `this root lacks ${names}`, "Grant them, or start as an ordinary user.");
}
