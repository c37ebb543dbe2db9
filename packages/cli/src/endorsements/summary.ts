/** Endorsements in words: whose they are, and how long each part is good for. */
import {
  endorsementDates,
  type Dated,
  type EndorsementsDocument,
  type EndorsementSubject,
} from "@blindbox/attestation/endorsers";

const day = 86_400;

/** The machine, as a person calls it. */
export function subjectWords(subject: EndorsementSubject): string {
  if (subject.tee === "nitro") return "a Nitro enclave";
  if (subject.tee === "tdx") return `a TDX machine, FMSPC ${subject.fmspc}, ${subject.ca} CA`;
  const chip = subject.key === "vlek" ? "any chip of its cloud (VLEK)" : `chip ${subject.chipId.slice(0, 16)}…`;
  return `an SEV-SNP machine, ${subject.product}, TCB ${subject.reportedTcb}, ${chip}`;
}

/** One line a part, in the order of the document. */
export function dateLines(document: EndorsementsDocument, now: number): readonly string[] {
  const dated = endorsementDates(document);
  const width = Math.max(0, ...dated.map(({ name }) => name.length));
  return dated.map((each) => `  ${each.name.padEnd(width)}  ${dateWords(each, now)}`);
}

function dateWords({ issued, expires, number }: Dated, now: number): string {
  const numbered = number === null ? "" : `number ${number}, `;
  return `${numbered}of ${dayOf(issued)}, until ${dayOf(expires)} (${expiryWords(issued, expires, now)})`;
}

function expiryWords(issued: number, expires: number, now: number): string {
  if (now < issued) return "not valid yet: compare this machine's clock";
  if (now > expires) return `expired ${daysWords(now - expires)} ago`;
  return `${daysWords(expires - now)} left`;
}

function daysWords(span: number): string {
  const days = Math.floor(span / day);
  if (days === 0) return "less than a day";
  return days === 1 ? "1 day" : `${days} days`;
}

function dayOf(time: number): string {
  return new Date(time * 1000).toISOString().slice(0, 10);
}

/** How it stands with all of them together. */
export function validityWords(document: EndorsementsDocument, now: number): string {
  const dated = endorsementDates(document);
  const wrong = dated.filter(({ issued, expires }) => now < issued || now > expires);
  if (dated.length === 0) return "nothing in it can expire";
  if (wrong.length > 0) return `not valid now: ${wrong.map(({ name }) => name).join(", ")}`;
  const first = dated.reduce((one, other) => (other.expires < one.expires ? other : one));
  return `all of it is valid now; ${first.name} is the first to expire`;
}
