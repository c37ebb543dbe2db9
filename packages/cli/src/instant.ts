/** A day, or a day and a time with its zone: what a person writes, and every machine reads alike. */
const form = /^(\d{4})-(\d{2})-(\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** What {@link readInstant} reads, for messages. */
export const instantForm = "a time such as 2027-01-31T12:00:00Z, or a day such as 2027-01-31";

/** Milliseconds since 1970 of an ISO 8601 time with its zone, or of the beginning of a day in UTC; `null` for anything else. */
export function readInstant(text: string): number | null {
  const found = form.exec(text);
  if (found === null) return null;
  const [, year = "", month = "", day = ""] = found;
  // A calendar without the 30th of February: the language takes it for the 2nd of March.
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (date.toISOString().slice(0, 10) !== `${year}-${month}-${day}`) return null;
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? null : milliseconds;
}
