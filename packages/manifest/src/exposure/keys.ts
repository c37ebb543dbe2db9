/** What the box's own requests for the keys of token issuers show. */
import { keyUrlsOf } from "../access/key-urls.ts";
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
  return new Map(
    keyUrlsOf(principals)
      .toReversed()
      .map(({ url, path }) => [url, path]),
  );
}
