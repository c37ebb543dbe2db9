import type { Access } from "./access/rule.ts";
import type { Operations } from "./manifest.ts";
import type { Site } from "./shape/index.ts";

/** The port on which a box listens for callers (DESIGN section 5, Places). */
export const BOX_PORT = 8443;

/** Reports listeners of one box that would need the same port. */
export function reportPortCollisions(
  mutualTls: Access["mutualTls"] | undefined,
  operations: Partial<Operations> | undefined,
  at: Site,
): void {
  const taken = [BOX_PORT, mutualTls?.port];
  if (mutualTls?.port === BOX_PORT) reportTaken(at.member("access").member("mutualTls").member("port"));
  const port = operations?.port ?? null;
  if (port !== null && taken.includes(port)) reportTaken(at.member("operations").member("port"));
}

function reportTaken(at: Site): void {
  at.problem(
    "a port that no other listener of the box has",
    "a port that is taken",
    `${BOX_PORT} is where callers come in`,
  );
}
