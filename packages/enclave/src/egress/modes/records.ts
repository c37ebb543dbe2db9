/** What the modes write down: facts of the rule, codes and counts, never a word of the application. */
import type { LedgerEntry, LedgerRefusal } from "@blindbox/attestation";
import type { Destination, Ledger } from "../contract.ts";
import type { SpliceCounts } from "../../splice.ts";

const nothing: SpliceCounts = { sent: 0, received: 0 };

/** Writes down that something was refused. `peer` is the fingerprint of the certificate that the host showed, if any. */
export function recordRefusal(
  ledger: Ledger,
  destination: Destination,
  verdict: LedgerRefusal,
  peer: string | null = null,
): void {
  ledger.record({ verdict, ...ruleOf(destination), ...nothing, peer });
}

/** Writes down that a request passed the rules: before anything of it goes to the host. */
export function recordAllowed(ledger: Ledger, destination: Destination, peer: string | null): void {
  ledger.record({ verdict: "request-allowed", ...ruleOf(destination), ...nothing, peer });
}

/** Writes down that the box itself asks a host for keys: before anything goes there. */
export function recordKeysRequested(ledger: Ledger, destination: Destination): void {
  ledger.record({ verdict: "keys-requested", ...ruleOf(destination), ...nothing, peer: null });
}

/** Writes down that a connection to the host is open: before anything of the application goes there. */
export function recordOpened(ledger: Ledger, destination: Destination, peer: string | null): void {
  ledger.record({ verdict: "connected", ...ruleOf(destination), ...nothing, peer });
}

/** Writes down how much crossed, once the connection to the host is closed. */
export function recordClosed(
  ledger: Ledger,
  destination: Destination,
  peer: string | null,
  counts: SpliceCounts,
): void {
  ledger.record({ verdict: "closed", ...ruleOf(destination), ...counts, peer });
}

function ruleOf({ rule, egress, port }: Destination): Pick<LedgerEntry, "rule" | "host" | "port" | "mode"> {
  return { rule, host: egress.host, port, mode: egress.mode };
}
