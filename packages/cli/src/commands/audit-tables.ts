/** The records of a box, as tables: what left it, and who asked. */
import type { AccessLogDocument, AccessRecord, LedgerDocument, LedgerRecord } from "@blindbox/attestation";
import { type Column, type Row, tableLines, timeText } from "../output/table.ts";

const text = (name: string): Column => ({ name, isNumber: false });
const number = (name: string): Column => ({ name, isNumber: true });

const clock = text("time (the box's clock)");

const ledgerColumns: readonly Column[] = [
  number("seq"),
  clock,
  text("verdict"),
  number("count"),
  number("rule"),
  text("mode"),
  text("host"),
  number("port"),
  number("sent"),
  number("received"),
  text("peer"),
];

function ledgerRow({ seq, time, verdict, count, rule, mode, host, port, sent, received, peer }: LedgerRecord): Row {
  const digest = peer === null ? null : `${peer.slice(0, 19)}…`;
  return [seq, timeText(time), verdict, count, rule, mode, host, port, sent, received, digest];
}

const accessColumns: readonly Column[] = [
  number("seq"),
  clock,
  text("principal"),
  number("rule"),
  text("method"),
  text("path of the rule"),
  text("outcome"),
  number("status"),
  number("received"),
  number("sent"),
];

function accessRow(record: AccessRecord): Row {
  const { seq, time, principal, rule, method, path, outcome, status, received, sent } = record;
  return [seq, timeText(time), principal, rule, method, path, outcome, status, received, sent];
}

/** One line a record under a head, and one line for what is no longer there. */
export function ledgerTable({ first, records }: LedgerDocument): readonly string[] {
  return [
    ...givenUp(first),
    ...(records.length === 0 ? ["no records"] : tableLines(ledgerColumns, records.map(ledgerRow))),
  ];
}

/** Likewise. A log without records says why it may have none. */
export function accessTable({ first, records }: AccessLogDocument): readonly string[] {
  const none = ["no records: no request has ended yet under a rule with `audit: true`"];
  return [...givenUp(first), ...(records.length === 0 ? none : tableLines(accessColumns, records.map(accessRow)))];
}

function givenUp(first: number): readonly string[] {
  return first === 0 ? [] : [`${first} older records were given up: the box keeps the newest ones`];
}
