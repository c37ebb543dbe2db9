/** What one way of making the sandbox decides. Everything else is the same. */
import type { AppUser, Driver } from "../../parts.ts";
import type { IdMaps } from "../ids.ts";
import type { Capability } from "../kernel/constants.ts";
import type { ControlGroups } from "../limits/control-groups.ts";
import type { RootOptions } from "../programs.ts";

export interface DriverPlan {
  readonly driver: Driver;
  readonly ids: IdMaps;
  /** The application's ids on the host. */
  readonly owner: AppUser;
  readonly root: RootOptions;
  /** What the application may do, in its own user namespace, beyond what everybody may. */
  readonly capabilities: readonly Capability[];
  /** Whether the image's files are placed in a mount namespace of ours, with their owners shifted. */
  readonly placeRootfs: boolean;
  readonly makeControlGroups: () => ControlGroups;
}
