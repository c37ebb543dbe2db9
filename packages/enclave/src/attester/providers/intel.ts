/** What a TD quote needs beside it, whichever way it was asked for. */
import { tdxQuoteOf } from "@blindbox/attestation";
import { tdxSubject } from "@blindbox/attestation/endorsers";
import { demandBinding } from "./binding-check.ts";
import { type DeviceReading, NOTHING_GIVEN } from "./device.ts";

/** Where the body starts, by the version in the header: version 5 describes it first. */
const headerBytes = 48;
const descriptionBytes = 6;
const versionWithDescription = 5;
const reportDataInBody = 520;

/** Where the report data stand in a quote. */
export function quoteReportDataOffset(quote: Uint8Array): number {
  const described = quote[0] === versionWithDescription ? descriptionBytes : 0;
  return headerBytes + described + reportDataInBody;
}

/** The reading of a quote, which its host may have filled up with zero bytes. @throws EncodingError for what is none; DeviceFault where it holds another binding. */
export function tdxReading(buffer: Uint8Array, binding: Uint8Array): DeviceReading {
  const quote = tdxQuoteOf(buffer);
  const subject = tdxSubject(quote);
  demandBinding(quote, quoteReportDataOffset(quote), binding);
  return { evidence: quote, subject, given: NOTHING_GIVEN };
}
