/** Whether this machine can make a sandbox at all; where not, the tests of it skip with this one line. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { Driver } from "../../src/parts.ts";

export const isRoot = process.geteuid?.() === 0;

/** The one who stands in for an ordinary user where the tests run as root. */
export const NOBODY = 65_534;

/** `null` where it can; else what is missing. */
export function whyNot(driver: Driver): string | null {
  if (process.platform !== "linux" || process.arch !== "x64") return "needs Linux on x86-64";
  if (!existsSync("/usr/bin/bwrap")) return "needs bubblewrap";
  if (!existsSync("/usr/sbin/ip") && !existsSync("/usr/bin/ip")) return "needs iproute2";
  if (!existsSync("/bin/busybox")) return "needs busybox-static";
  if (driver === "rooted" && !isRoot) return "needs root";
  const ids = isRoot && driver === "unprivileged" ? { uid: NOBODY, gid: NOBODY } : {};
  const namespaces = spawnSync("/usr/bin/unshare", ["--user", "--net", "true"], { ...ids, stdio: "ignore" });
  return namespaces.status === 0 ? null : "needs user and network namespaces";
}

/** Both drivers, each with what to add to the title of its tests. */
export const DRIVERS: readonly { readonly driver: Driver; readonly skip: boolean; readonly note: string }[] = (
  ["rooted", "unprivileged"] as const
).map((driver) => {
  const reason = whyNot(driver);
  return { driver, skip: reason !== null, note: reason === null ? "" : ` (skipped: ${reason})` };
});
