import { portShape } from "./fields.ts";
import type { AuditTrail, Operations } from "./manifest.ts";
import {
  described,
  integer,
  mapped,
  nullable,
  object,
  optional,
  refined,
  type Shape,
  type Site,
  word,
} from "./shape/index.ts";

/** What a box tells whoever runs it where `operations` says nothing. */
export const DEFAULT_OPERATIONS: Operations = { port: null, health: "live", metrics: "none" };

/** How much the access log keeps where `audit` says nothing. */
export const DEFAULT_AUDIT: AuditTrail = { entries: 10_000 };

/** Entries. Fewer than a hundred tell nothing; an entry takes some 300 bytes of the box's memory. */
const ENTRIES: readonly [number, number] = [100, 100_000];

const health: Shape<Operations["health"]> = word(["live", "ready"]);

const metrics: Shape<Operations["metrics"]> = word(["none", "coarse"]);

/** What the box tells whoever runs it, in the resolved form. */
export const operationsShape: Shape<Operations> = refined(
  object<Operations>({ port: nullable(portShape), health, metrics }),
  reportUnheard,
);

type Written = Omit<Partial<Operations>, "port"> & { readonly port?: number };

/** The same as written, with every default filled in. */
export const operationsSourceShape: Shape<Operations> = refined(
  mapped(
    object<Written>({
      port: optional(described(portShape, "Of a plain HTTP listener for whoever runs the box. Left out: none.")),
      health: optional(
        described(health, "ready: /readyz follows the application, which can signal with it. Left out: live."),
      ),
      metrics: optional(described(metrics, "coarse: Prometheus metrics at the port. Left out: none.")),
    }),
    (written): Operations => ({ ...DEFAULT_OPERATIONS, ...written }),
  ),
  reportUnheard,
);

// At the door for callers, anybody could read how many others there are, and the application could signal to anybody.
function reportUnheard({ metrics: counted, health: followed, port }: Operations, at: Site): void {
  if (port !== null) return;
  const hint = "name the port of the listener for whoever runs the box";
  if (counted !== "none") at.member("metrics").problem("none, where there is no port", "coarse metrics", hint);
  if (followed !== "live")
    at.member("health").problem("live, where there is no port", "health of the application", hint);
}

/** What the access log keeps, in the resolved form. */
export const auditShape: Shape<AuditTrail> = object<AuditTrail>({ entries: integer(...ENTRIES) });

/** The same as written, with its default filled in. */
export const auditSourceShape: Shape<AuditTrail> = mapped(
  object<Partial<AuditTrail>>({
    entries: optional(described(integer(...ENTRIES), "Entries of the access log that are kept. Left out: 10000.")),
  }),
  (written): AuditTrail => ({ ...DEFAULT_AUDIT, ...written }),
);
