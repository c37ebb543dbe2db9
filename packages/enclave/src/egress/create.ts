/** Puts the way out together: what the application dials, what the rules say, what the box dials, what is written down. */
import { createEgressDecider, type Egress, type Manifest, normalizeHostName } from "@blindbox/manifest";
import type { EgressRoom, EmitEvent } from "../parts.ts";
import type { ModeParts, ServeMode } from "./contract.ts";
import { createClassifier, createDialer, createLookup, createResolve } from "./dial/index.ts";
import { createAnswers, createVirtualAddresses } from "./dns/index.ts";
import { createKeyReader } from "./key-reader.ts";
import { createLedger } from "./ledger.ts";
import { serveHttp } from "./modes/http.ts";
import { servePassthrough } from "./modes/passthrough.ts";
import { serveTcp } from "./modes/tcp.ts";
import { serveVerified } from "./modes/verified.ts";
import { createReception } from "./reception.ts";
import { reset } from "../reset.ts";
import { createRouter } from "./router.ts";
import { type Authority, createAuthority } from "./tls/authority.ts";

export interface EgressOptions {
  readonly manifest: Pick<Manifest, "egress">;
  /** Servers that are asked for the addresses of allowed names, `address` or `address:port`; null: the machine's. */
  readonly resolvers: readonly string[] | null;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds of a clock that never goes back and that nobody sets: what is kept and granted for a time rests on it. */
  readonly monotonic: () => number;
  /** One event at the start. Decisions make none: what the host reads in a log, the application could write. */
  readonly onEvent: EmitEvent;
}

/**
 * Prepares the way out. Nothing is asked of the network before the application dials an allowed host, or the box needs an
 * issuer's keys.
 *
 * @throws TypeError where a resolver is no address.
 */
export async function createEgress({
  manifest,
  resolvers,
  now,
  monotonic,
  onEvent,
}: EgressOptions): Promise<EgressRoom> {
  const decider = createEgressDecider(manifest);
  const ledger = createLedger({ now, monotonic });
  const resolve = createResolve({ lookup: createLookup(resolvers), now: monotonic });
  const dialer = createDialer({ resolve, isPublic: createClassifier() });
  const authority = await authorityOf(manifest.egress, now());
  const addresses = createVirtualAddresses({ hosts: namesOf(manifest.egress), now: monotonic });
  const parts = { decider, dialer, ledger };
  const modes = modesOf(parts, authority);
  const keyReader = createKeyReader(parts);
  const reception = createReception({
    router: createRouter({ decider, ledger, nameAt: (address) => addresses.nameAt(address), modes }),
    answer: createAnswers({ decider, addresses, ledger }),
    ledger,
  });
  onEvent({ event: "egress", rules: manifest.egress.length, verified: authority !== null });
  return {
    receiver: reception.receiver,
    authority: authority?.certificate ?? null,
    ledgerHead: () => ledger.head(),
    ledger: () => ledger.document(),
    readKeys: (url) => keyReader.read(url),
    close() {
      keyReader.close();
      return reception.close();
    },
  };
}

async function authorityOf(rules: readonly Egress[], now: number): Promise<Authority | null> {
  const hosts = rules.filter(({ mode }) => mode === "verified").map(({ host }) => host);
  return hosts.length === 0 ? null : createAuthority(hosts, now);
}

/** What rules write out: no wildcards, and no addresses, which are dialled as they are. */
function namesOf(rules: readonly Egress[]): readonly string[] {
  return rules.map(({ host }) => host).filter((host) => normalizeHostName(host) === host);
}

function modesOf(parts: ModeParts, authority: Authority | null): Readonly<Record<Egress["mode"], ServeMode>> {
  return {
    verified: authority === null ? reset : serveVerified(parts, authority),
    passthrough: servePassthrough(parts),
    http: serveHttp(parts),
    tcp: serveTcp(parts),
  };
}
