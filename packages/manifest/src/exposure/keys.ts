/** What the box's own requests show: those for the keys of token issuers. */
import { factorsOf } from "../access/principal.ts";
import { keysLocation } from "../access/published-keys.ts";
import { createEgressDecider } from "../egress/decider.ts";
import type { Manifest } from "../manifest.ts";
import type { Sight } from "./sight.ts";

/** By index of the rule that allows the request; each URL once. */
export function keySights(manifest: Manifest): ReadonlyMap<number, readonly Sight[]> {
  const decider = createEgressDecider(manifest);
  const sights = new Map<number, Sight[]>();
  for (const [url, because] of keyUrls(manifest)) {
    const location = keysLocation(url);
    const decision = location === null ? null : decider.request(location, { method: "GET", target: location.target });
    if (decision?.allowed !== true) continue;
    const what = `that the box asks for ${location?.target}, at most once a minute: somebody showed it a token of that issuer`;
    sights.set(decision.rule, [...(sights.get(decision.rule) ?? []), { what, because }]);
  }
  return sights;
}

/** Each URL, with the path of the first principal that names it. */
function keyUrls({ access: { principals } }: Manifest): ReadonlyMap<string, string> {
  const urls = new Map<string, string>();
  principals.forEach((principal, index) => {
    factorsOf(principal).forEach((factor, position) => {
      if (!("jwt" in factor) || !("url" in factor.jwt.keys) || urls.has(factor.jwt.keys.url)) return;
      const holder = "allOf" in principal ? `allOf[${position}].jwt` : "jwt";
      urls.set(factor.jwt.keys.url, `access.principals[${index}].${holder}.keys.url`);
    });
  });
  return urls;
}
