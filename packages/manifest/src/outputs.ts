import { ANONYMOUS } from "./access/principal.ts";
import type { Manifest } from "./manifest.ts";

/** One way by which data can leave the box with the Manifest's consent. */
export interface Output {
  /** `caller`: a principal. `anonymous`: anybody. `egress`: a host. `logs`: whoever reads the box's log. */
  readonly kind: "caller" | "anonymous" | "egress" | "logs";
  /** Id of the principal, `anonymous`, the host, or what is logged. */
  readonly name: string;
  /** Paths, ports and mode, or nothing, for display. */
  readonly detail: readonly string[];
}

/**
 * Every way by which data can leave the box. Callers are outputs too: a hostile application can answer one caller with
 * another's data (DESIGN section 1). A principal that no rule allows is none.
 */
export function outputsOf(manifest: Manifest): readonly Output[] {
  return [...callers(manifest), ...hosts(manifest), ...logs(manifest)];
}

function callers(manifest: Manifest): readonly Output[] {
  const ids = new Set(manifest.access.rules.flatMap((rule) => rule.allow));
  return Array.from(ids, (id) => ({
    kind: id === ANONYMOUS ? "anonymous" : "caller",
    name: id,
    detail: manifest.access.rules
      .filter((rule) => rule.allow.includes(id))
      .map((rule) => `${rule.methods.join(",")} ${rule.path}`),
  }));
}

function hosts(manifest: Manifest): readonly Output[] {
  return manifest.egress.map(({ host, mode, ports }) => ({
    kind: "egress",
    name: host,
    detail: [mode, `port ${ports.join(",")}`, ...(mode === "verified" ? [] : ["trusts the network"])],
  }));
}

function logs(manifest: Manifest): readonly Output[] {
  return manifest.logs === "none" ? [] : [{ kind: "logs", name: manifest.logs, detail: [] }];
}
