import { EVIDENCE_MEDIA_TYPE, MAX_EVIDENCE_DOCUMENT_BYTES } from "@blindbox/attestation";
import { AnswerError } from "./answer-error.ts";

/** A box sends about five; the limit only bounds the work. */
const maxLines = 64;

const statusLine = /^HTTP\/1\.1 ([1-5][0-9]{2}) [\t\x20-\x7e]*$/;
const headerLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([\t\x20-\x7e]*?)[\t ]*$/;

/** What the exchange needs to know of the answer's head; the rest was checked and is of no use. */
export interface AnswerHead {
  readonly contentLength: number;
}

/**
 * Reads the head of an answer, without the empty line that ends it.
 *
 * @throws AnswerError for whatever is not a plain `200` with Evidence of a stated length.
 */
export function readAnswerHead(bytes: Uint8Array): AnswerHead {
  const [first = "", ...lines] = splitLines(bytes);
  const status = statusLine.exec(first)?.[1];
  if (status === undefined || lines.length > maxLines) throw new AnswerError("answer-head");
  if (status !== "200") throw new AnswerError("answer-status", `status ${status}`);
  const fields = lines.map(readField);
  checkMediaType(valuesOf(fields, "content-type"));
  checkFraming(fields);
  return { contentLength: readLength(valuesOf(fields, "content-length")) };
}

function splitLines(bytes: Uint8Array): string[] {
  // Every byte becomes one character, so that the patterns above see (and refuse) each of them.
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text.split("\r\n");
}

type Field = readonly [name: string, value: string];

function readField(line: string): Field {
  const match = headerLine.exec(line);
  if (match === null) throw new AnswerError("answer-head");
  return [(match[1] ?? "").toLowerCase(), match[2] ?? ""];
}

function valuesOf(fields: readonly Field[], name: string): string[] {
  return fields.filter((field) => field[0] === name).map((field) => field[1]);
}

function checkMediaType(values: readonly string[]): void {
  if (values.length === 1 && values[0] === EVIDENCE_MEDIA_TYPE) return;
  throw new AnswerError("answer-media-type");
}

function checkFraming(fields: readonly Field[]): void {
  const coded = fields.some(([name]) => name === "transfer-encoding" || name === "content-encoding");
  if (coded) throw new AnswerError("answer-coding");
  const closes = valuesOf(fields, "connection").some((value) => value.toLowerCase() !== "keep-alive");
  if (closes) throw new AnswerError("answer-persistence");
}

function readLength(values: readonly string[]): number {
  const [value = ""] = values;
  if (values.length !== 1 || !/^(0|[1-9][0-9]{0,6})$/.test(value)) throw new AnswerError("answer-length");
  const length = Number(value);
  if (length > MAX_EVIDENCE_DOCUMENT_BYTES) throw new AnswerError("answer-length", `${length} bytes`);
  return length;
}
