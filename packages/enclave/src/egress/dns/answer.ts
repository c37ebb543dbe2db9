/** What is answered to a question: from the rules alone. Nothing that the application asks is ever asked further. */
import type { LedgerVerdict } from "@blindbox/attestation";
import { EncodingError } from "@blindbox/encoding";
import { type EgressDecider, normalizeHostName } from "@blindbox/manifest";
import type { Ledger } from "../contract.ts";
import {
  type Answer,
  CLASS_IN,
  formatAnswer,
  formatMalformed,
  parseQuery,
  type Query,
  RECORD_TYPE,
  RESPONSE_CODE,
} from "./message.ts";
import type { VirtualAddresses } from "./names.ts";

export interface DnsParts {
  readonly decider: EgressDecider;
  readonly addresses: VirtualAddresses;
  readonly ledger: Ledger;
}

/** Answers one message; null where silence is due. Never throws. */
export type AnswerMessage = (message: Uint8Array) => Uint8Array | null;

export const DNS_PORT = 53;

/** Seconds. An address keeps its name for the whole boot, but the application's cache should not outlive a boot by much. */
const ttl = 60;

const noData: Answer = { code: RESPONSE_CODE.none, address: null };
const noSuchName: Answer = { code: RESPONSE_CODE.noSuchName, address: null };
const refused: Answer = { code: RESPONSE_CODE.refused, address: null };

/** Asked beside every question for an address, and so not worth a record. */
const usualTypes: ReadonlySet<number> = new Set([RECORD_TYPE.AAAA, RECORD_TYPE.HTTPS, RECORD_TYPE.SVCB]);

export function createAnswers(parts: DnsParts): AnswerMessage {
  return (message) => {
    const query = readQuery(message);
    if (query === null) {
      record(parts, "refused-query", null);
      return formatMalformed(message);
    }
    return formatAnswer(query, answerTo(parts, query));
  };
}

function readQuery(message: Uint8Array): Query | null {
  try {
    return parseQuery(message);
  } catch (error) {
    if (error instanceof EncodingError) return null;
    throw error;
  }
}

function answerTo(parts: DnsParts, query: Query): Answer {
  if (query.class !== CLASS_IN) {
    record(parts, "refused-query-type", null);
    return refused;
  }
  const name = query.name === null ? null : normalizeHostName(query.name);
  if (name === null || !parts.decider.covers(name)) {
    record(parts, "refused-name", null);
    return noSuchName;
  }
  if (query.type === RECORD_TYPE.A) return addressOf(parts, name);
  if (!usualTypes.has(query.type)) record(parts, "refused-query-type", name);
  return noData;
}

function addressOf(parts: DnsParts, name: string): Answer {
  const assignment = parts.addresses.assign(name);
  if ("refused" in assignment) {
    record(parts, assignment.refused, name);
    return refused;
  }
  if (assignment.isNew) record(parts, "name-assigned", name);
  return { code: RESPONSE_CODE.none, address: { ipv4: assignment.address, ttl } };
}

/** `name` only serves to find its rule. */
function record({ decider, ledger }: DnsParts, verdict: LedgerVerdict, name: string | null): void {
  const found = name === null ? null : ruleOf(decider, name);
  ledger.record({
    verdict,
    rule: found?.rule ?? null,
    host: found?.host ?? null,
    port: DNS_PORT,
    mode: null,
    sent: 0,
    received: 0,
    peer: null,
  });
}

/** The first rule that covers the name on any port. */
function ruleOf(decider: EgressDecider, name: string): { readonly rule: number; readonly host: string } | null {
  for (const port of decider.ports) {
    const decision = decider.connection({ name, address: null, port });
    if (decision.allowed) return { rule: decision.rule, host: decision.egress.host };
  }
  return null;
}
