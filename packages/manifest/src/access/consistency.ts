import { canonicalJson, type JsonValue } from "@blindbox/encoding";
import { createEgressDecider } from "../egress/decider.ts";
import type { Egress } from "../manifest.ts";
import type { Site } from "../shape/index.ts";
import { type Factor, factorsOf, type Principal } from "./principal.ts";
import { materialText } from "./principal-shape.ts";
import { keysLocation } from "./published-keys.ts";
import type { MutualTls } from "./rule.ts";

/** What both forms of `access` say of principals and of their listener. */
export interface Callers {
  readonly principals?: readonly Principal[];
  readonly mutualTls?: MutualTls | null;
}

/** Reports callers that could not be told apart, and certificates without the listener that asks for them. */
export function reportCallers({ principals = [], mutualTls = null }: Callers, at: Site): void {
  const seen = new Set<string>();
  principals.forEach((principal, index) => {
    // A key that stands twice alone is told so by its own member.
    const material = "apiKey" in principal ? `id ${principal.id}` : materialText(principal, textOf);
    if (seen.has(material)) {
      const hint = "these are the same caller: name it once";
      at.member("principals").item(index).problem("key material that no other principal has", "a repeated one", hint);
    }
    seen.add(material);
  });
  const isAsked = principals.flatMap(factorsOf).some((factor) => "certificate" in factor);
  if (isAsked === (mutualTls !== null)) return;
  const hint = "callers with certificates come in at a port of their own";
  if (isAsked) at.member("mutualTls").problem("a listener for client certificates", "no listener", hint);
  else at.member("mutualTls").problem("nothing, where no principal has a certificate", "a listener", hint);
}

// Key material is plain JSON all through; an interface has no index signature to say so.
function textOf(factor: Factor): string {
  return canonicalJson(("jwt" in factor ? { jwt: factor.jwt } : pick(factor)) as unknown as JsonValue);
}

function pick(factor: Exclude<Factor, { readonly jwt: unknown }>): object {
  return "apiKey" in factor ? { apiKey: factor.apiKey } : { certificate: factor.certificate };
}

const REACHABLE = "a URL that an egress rule in mode verified allows to GET";

/** Reports where an issuer's keys would have to be read past the egress rules, through which the box itself goes. */
export function reportKeyUrls(principals: readonly Principal[], egress: readonly Egress[], at: Site): void {
  const decider = createEgressDecider({ egress });
  principals.forEach((principal, index) => {
    const factors = factorsOf(principal);
    factors.forEach((factor, position) => {
      if (!("jwt" in factor) || !("url" in factor.jwt.keys)) return;
      if (isReachable(factor.jwt.keys.url, decider)) return;
      const here = at.member("access").member("principals").item(index);
      const holder = "allOf" in principal ? here.member("allOf").item(position) : here;
      const hint = "add it to egress, or write the keys themselves";
      holder.member("jwt").member("keys").member("url").problem(REACHABLE, "a URL that none allows", hint);
    });
  });
}

function isReachable(url: string, decider: ReturnType<typeof createEgressDecider>): boolean {
  const asked = keysLocation(url);
  if (asked === null) return false;
  const connection = decider.connection({ ...asked, address: null });
  if (!connection.allowed || connection.egress.mode !== "verified") return false;
  return decider.request(asked, { method: "GET", target: asked.target }).allowed;
}
