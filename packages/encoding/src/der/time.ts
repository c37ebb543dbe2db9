import { fromUtf8 } from "../bytes/text.ts";
import { EncodingError } from "../encoding-error.ts";
import { derExpect, type DerElement } from "./element.ts";
import { DER_TAG } from "./tags.ts";

const digits = /^(\d\d\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** RFC 5280 section 4.1.2.5.1: two digits from 50 on are of the last century. */
const firstYearOfLastCentury = "50";

/**
 * A UTCTime or GeneralizedTime in seconds since 1970 (RFC 5280 section 4.1.2.5): with seconds, without fractions, `Z`.
 *
 * @throws EncodingError for another form, and for a date or time of day that does not exist (a 60th second too).
 */
export function derTime(element: DerElement | undefined, field: string = "der"): number {
  const parts = digits.exec(fourDigitYear(element, field));
  if (parts === null) throw refused(field, "YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ", "another form");
  const [, year, month, day, hour, minute, second] = parts;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const milliseconds = Date.parse(iso);
  // Date takes 30 February for the first or second of March.
  const exists = Number.isFinite(milliseconds) && new Date(milliseconds).toISOString() === iso;
  if (!exists) throw refused(field, "a time that exists", "another");
  return milliseconds / 1000;
}

function fourDigitYear(element: DerElement | undefined, field: string): string {
  if (element?.tag === DER_TAG.generalizedTime) return fromUtf8(element.contents, field);
  const text = fromUtf8(derExpect(element, DER_TAG.utcTime, field).contents, field);
  return `${text.slice(0, 2) >= firstYearOfLastCentury ? "19" : "20"}${text}`;
}

function refused(field: string, expected: string, actual: string): EncodingError {
  return new EncodingError("bad-encoding", field, expected, actual);
}
