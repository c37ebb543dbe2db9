/** What a TD quote needs beside it, however it came. */
import { tdxQuoteOf } from "@blindbox/attestation";
import { tdxReportData, tdxSubject } from "@blindbox/attestation/endorsers";
import { demandBinding } from "./binding-check.ts";
import { type DeviceReading, NOTHING_GIVEN } from "./device.ts";

/** The reading of a quote, which its host may have filled up with zero bytes. @throws EncodingError for what is none; DeviceFault where it holds another binding. */
export function tdxReading(buffer: Uint8Array, binding: Uint8Array): DeviceReading {
  const quote = tdxQuoteOf(buffer);
  const subject = tdxSubject(quote);
  demandBinding(tdxReportData(quote), 0, binding);
  return { evidence: quote, subject, given: NOTHING_GIVEN };
}
