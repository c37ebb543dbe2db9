/** A world for mode `verified`: a root that rules trust, an honest host of `api.test`, the box's authority. */
import type { VerifiedEgress } from "@blindbox/manifest";
import type { EgressLimits } from "../../src/egress/modes/limits.ts";
import { serveVerified } from "../../src/egress/modes/verified.ts";
import { type Authority, createAuthority } from "../../src/egress/tls/authority.ts";
import { openTls, say } from "./app.ts";
import { certifyRoot, certifySite, type Identity } from "./certificates.ts";
import type { Site } from "./sites.ts";
import { startWayOut, verifiedRule, type WayOut } from "./way-out.ts";

export interface Way {
  /** What the rule has beside everything that is allowed. */
  readonly rule?: Partial<VerifiedEgress>;
  /** Left out: `api.test`. */
  readonly name?: string;
  readonly limits?: Partial<EgressLimits>;
}

export interface World {
  readonly root: Identity;
  readonly honest: Identity;
  readonly authority: Authority;
  /** Is closed by `clear`. */
  kept<T extends { close(): Promise<void> }>(started: Promise<T>): Promise<T>;
  /** A way out to `site`, wherever the rule says that it is; null: nobody is there. */
  wayTo(site: Site | null, way?: Way): Promise<WayOut>;
  /** Says these very bytes on a new connection, and answers with all that comes back. */
  ask(way: WayOut, ...pieces: readonly string[]): Promise<string>;
  clear(): Promise<void>;
}

export async function createWorld(): Promise<World> {
  const root = await certifyRoot("root");
  const honest = await certifySite(root, "api.test");
  const authority = await createAuthority(["api.test", "*.wild.test"], Date.now());
  const open: { close(): Promise<void> }[] = [];
  const kept = async <T extends { close(): Promise<void> }>(started: Promise<T>): Promise<T> => {
    const each = await started;
    open.push(each);
    return each;
  };
  return {
    root,
    honest,
    authority,
    kept,
    wayTo: (site, { rule = {}, name = "api.test", limits = {} } = {}) =>
      kept(
        startWayOut({
          mode: (parts, all) => serveVerified(parts, authority, all),
          egress: [verifiedRule([root.der], rule)],
          name,
          site: site?.port ?? null,
          limits,
        }),
      ),
    ask: async (way, ...pieces) => (await say(await openTls(way.port, authority.certificate), ...pieces)).text,
    async clear() {
      await Promise.all(open.splice(0).map((each) => each.close()));
    },
  };
}

export const get = "GET /v1/x?y=1 HTTP/1.1\r\nHost: api.test\r\n\r\n";
export const lastGet = "GET /v1/x HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n";
