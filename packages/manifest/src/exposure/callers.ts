import { keyUrlsOf } from "../access/key-urls.ts";
import { ANONYMOUS } from "../access/principal.ts";
import type { Access, AccessRule } from "../access/rule.ts";
import type { Manifest } from "../manifest.ts";
import { ALWAYS, type Exposure, type Sight, where } from "./sight.ts";

/** Anybody who can open a connection, with or without credentials. */
export function visitorExposure({ operations }: Manifest): Exposure {
  return {
    observer: "visitor",
    who: "anybody who can connect to the box",
    sees: [
      { what: "Evidence, Release and the whole Manifest, the application's environment included", because: ALWAYS },
      {
        what: "the heads of egress ledger and access log, so: whether anything was written since they were last asked for",
        because: ALWAYS,
      },
      { what: "that the box is up", because: ALWAYS },
      ...where(
        operations.port !== null,
        `what the host is told at plain port ${operations.port}, where they can reach it`,
        "operations.port",
      ),
    ],
  };
}

/** Everybody whom a rule lets to the application: one caller's data can be in another's answer. */
export function callerExposures({ principals, rules }: Access): readonly Exposure[] {
  return [...principals.map(({ id }) => id), ANONYMOUS].flatMap((id): Exposure[] => {
    const sees = rules.flatMap((rule, index) =>
      rule.allow.includes(id) ? ruleSights(rule, `access.rules[${index}]`) : [],
    );
    if (sees.length === 0) return [];
    const who = id === ANONYMOUS ? "anybody, without credentials" : `the caller ${id}`;
    return [{ observer: "caller", who, sees }];
  });
}

function ruleSights({ methods, path, upgrade, limits }: AccessRule, because: string): readonly Sight[] {
  const what = `whatever the application answers to ${methods.join(", ")} of ${path}, in at most ${limits.response} bytes`;
  return [
    { what: `${what}: its own data or any other that the application has seen`, because },
    ...where(upgrade === "websocket", `the same in WebSockets on ${path}, into which the box does not look`, because),
  ];
}

/** Principals with the right to audit; null: nobody has it. */
export function auditorExposure({ access, audit, egress }: Manifest): Exposure | null {
  const auditors = access.principals.filter((principal) => principal.audit).map(({ id }) => id);
  if (auditors.length === 0) return null;
  const recorded = access.rules.some((rule) => rule.audit);
  return {
    observer: "auditor",
    who: `auditors: ${auditors.join(", ")}`,
    sees: [
      ...where(
        egress.length > 0,
        "of each decision on the way out: time, index, host and mode of the rule, port, verdict, numbers of bytes, and `peer`, the fingerprint of the host's certificate; never a path or a word of the application",
        "access.principals",
      ),
      ...where(
        keyUrlsOf(access.principals).length > 0,
        "when the box asked a token issuer for its keys (`keys-requested`): somebody showed it a token of that issuer",
        "access.principals",
      ),
      ...where(
        egress.length === 0,
        "that the application tried to get out, when, and how it was refused (the verdict)",
        "access.principals",
      ),
      ...where(
        recorded,
        `of the last ${audit.entries} requests under rules that record: time, caller, rule, method, path of the rule, status and sizes`,
        "access.rules",
      ),
    ],
  };
}
