/** On Azure the host's quoting enclave is asked by the metadata service: a TDREPORT in, a quote out. */
import { parseTdReportStructure, tdxQuoteOf, tdxReportOf, type TdReportStructure } from "@blindbox/attestation";
import { tdxSubject } from "@blindbox/attestation/endorsers";
import { fromBase64url, toBase64url, toHex } from "@blindbox/encoding";
import { Disturbed, withAttempts } from "../attempts.ts";
import type { Sleep } from "../device.ts";
import { DeviceFault, readAnswer } from "../device-fault.ts";

/** Link-local: there is no TLS to be had, and what comes is signed by Intel's key or refused by every Verifier. */
export const TD_QUOTE_URL = "http://169.254.169.254/acc/tdquote";

/** Sends `body` as JSON to `url` and returns status and body of the answer, of at most `maxBytes`. No redirect is followed. */
export type PostJson = (
  url: string,
  body: string,
  maxBytes: number,
) => Promise<{ readonly status: number; readonly text: string }>;

/** A quote takes 5 to 8 KiB. */
const maxAnswerBytes = 65_536;
const statusOk = 200;
const throttled = 429;

/**
 * The quote of a TDREPORT, without what the service fills its buffer up with.
 *
 * @throws DeviceFault where the service gives none, or one of another TD. Who signed it is the Verifier's to say.
 */
export type GetTdQuote = (tdReport: Uint8Array) => Promise<Uint8Array>;

/** Asks the metadata service once for each TDREPORT: the paravisor makes a new one at each start only. */
export function createTdQuoteSource(post: PostJson, sleep: Sleep): GetTdQuote {
  let last: { readonly report: string; readonly quote: Uint8Array } | null = null;
  return async (tdReport) => {
    const report = toHex(tdReport);
    if (last?.report !== report) {
      const expected = readAnswer("a TDREPORT", () => parseTdReportStructure(tdReport));
      const answer = await withAttempts(sleep, () => ask(post, tdReport));
      const quote = readAnswer("a TD quote of the metadata service", () => readQuote(answer));
      demandQuoteOf(expected, quote);
      last = { report, quote };
    }
    return last.quote;
  };
}

async function ask(post: PostJson, tdReport: Uint8Array): Promise<Uint8Array> {
  const body = JSON.stringify({ report: toBase64url(tdReport) });
  const { status, text } = await post(TD_QUOTE_URL, body, maxAnswerBytes).catch(() => {
    throw new Disturbed("metadata service: no whole answer");
  });
  if (status === throttled || status >= 500) throw new Disturbed(`metadata service: status ${status}`);
  if (status !== statusOk) throw new DeviceFault("failed", `metadata service: no TD quote, status ${status}`);
  return quoteIn(text);
}

/** With its certificates, though nothing of them is kept: what is of no use later must not be kept either. */
function readQuote(buffer: Uint8Array): Uint8Array {
  const quote = tdxQuoteOf(buffer);
  tdxSubject(quote);
  return quote;
}

/** @throws DeviceFault where the quote is of another TD, or of this one at another time. */
function demandQuoteOf({ reportData, shared, added }: TdReportStructure, quote: Uint8Array): void {
  const quoted = new Map<string, Uint8Array | null>(Object.entries(tdxReportOf(quote)));
  for (const [field, expected] of Object.entries({ reportData, ...shared, ...added })) {
    const actual = quoted.get(field);
    // Null is what a quote of TDX 1.0 has no place for.
    if (actual === null || (actual !== undefined && toHex(actual) === expected)) continue;
    throw new DeviceFault("malformed", `metadata service: the quote is of another TDREPORT: ${field} differs`);
  }
}

function quoteIn(text: string): Uint8Array {
  try {
    const { quote } = JSON.parse(text) as { readonly quote?: unknown };
    // Both alphabets and padding were seen.
    if (typeof quote === "string")
      return fromBase64url(
        quote
          .replace(/={1,2}$/, "")
          .replaceAll("+", "-")
          .replaceAll("/", "_"),
      );
  } catch {
    // Said below.
  }
  throw new DeviceFault("malformed", "metadata service: expected a TD quote, got something else");
}
