/** One mode between an application and a site, over real sockets: what the router and the dialer do is played here. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { LedgerEntry, LedgerVerdict } from "@blindbox/attestation";
import { createEgressDecider, type Egress, type VerifiedEgress } from "@blindbox/manifest";
import type { Destination, ModeParts, ServeMode } from "../../src/egress/contract.ts";
import { EgressError } from "../../src/egress/errors.ts";
import { egressLimits, type EgressLimits } from "../../src/egress/modes/limits.ts";

export interface WayOut {
  /** Where the application connects to. */
  readonly port: number;
  readonly records: LedgerEntry[];
  /** Verdicts so far. */
  verdicts(): LedgerVerdict[];
  /** Resolves with the record once there is one of this verdict. */
  recorded(verdict: LedgerVerdict): Promise<LedgerEntry>;
  close(): Promise<void>;
}

export interface WayOutOptions {
  readonly mode: (parts: ModeParts, limits: EgressLimits) => ServeMode;
  readonly egress: readonly Egress[];
  /** The name that the application connected to; null: the address of the rule. */
  readonly name: string | null;
  /** Port of the site on this machine, whatever port the rule has; null: nobody is there. */
  readonly site: number | null;
  readonly limits?: Partial<EgressLimits>;
}

/** Shorter than in the box where a test waits for them. */
const testLimits: EgressLimits = { ...egressLimits, linger: 200 };

export async function startWayOut({ mode, egress, name, site, limits }: WayOutOptions): Promise<WayOut> {
  const records: LedgerEntry[] = [];
  const waiting = new Set<() => void>();
  const record = (entry: LedgerEntry): void => {
    records.push(entry);
    waiting.forEach((look) => look());
  };
  const ledger = { record, head: () => "", document: () => "" };
  const parts: ModeParts = { decider: createEgressDecider({ egress }), dialer: { dial: () => dial(site) }, ledger };
  const serve = mode(parts, { ...testLimits, ...limits });
  const sockets = new Set<Socket>();
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    sockets.add(socket);
    serve(socket, destinationOf(egress, name));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    records,
    verdicts: () => records.map(({ verdict }) => verdict),
    recorded: (verdict) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = records.find((each) => each.verdict === verdict);
          if (found !== undefined) resolve(found);
        };
        waiting.add(look);
        look();
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        sockets.forEach((socket) => socket.destroy());
      }),
  };
}

function destinationOf(rules: readonly Egress[], name: string | null): Destination {
  const [egress] = rules;
  if (egress === undefined) throw new Error("no rule");
  return { name, address: name === null ? egress.host : null, port: egress.ports[0] ?? 0, rule: 0, egress };
}

function dial(port: number | null): Promise<Socket> {
  if (port === null) return Promise.reject(new EgressError("refused-unreachable"));
  const socket = connect(port, "127.0.0.1");
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(socket)).once("error", reject);
  });
}

/** A `verified` rule for `api.test` that trusts `roots` and lets everything through, but for what `other` says. */
export function verifiedRule(roots: readonly string[], other: Partial<VerifiedEgress> = {}): VerifiedEgress {
  return {
    mode: "verified",
    host: "api.test",
    ports: [443],
    methods: "any",
    paths: "any",
    websocket: false,
    pins: [],
    roots,
    ...other,
  };
}
