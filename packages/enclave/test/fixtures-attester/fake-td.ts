/** A TD as its own TDREPORT and a quote of Intel's enclave say that it is. */
import { tdReport } from "../../../attestation/test/azure-vtpm/hcl.ts";
import { type Body, type QuoteChange, rightBody } from "../../../attestation/test/tdx/quote.ts";
import { mintEvidence } from "../../../attestation/test/tdx/vendor.ts";

/** The TDREPORT of a TD, right but for these fields. */
export function fakeTdReport(body: Partial<Body> = {}): Uint8Array {
  return tdReport({
    type: Uint8Array.of(0x81, 0, 0, 0),
    reserved: new Uint8Array(12),
    cpuSvn: new Uint8Array(16),
    tcbInfoHash: null,
    tdInfoHash: null,
    ...rightBody,
    reservedBehind: new Uint8Array(32),
    mac: new Uint8Array(32),
    valid: new Uint8Array(8),
    tcbInfoReserved: new Uint8Array(95),
    between: new Uint8Array(17),
    tdInfoReserved: new Uint8Array(64),
    ...body,
  });
}

/** The quote of a TD, right but for these fields. */
export function fakeTdQuote(body: Partial<Body> = {}, form: NonNullable<QuoteChange["form"]> = "v4"): Uint8Array {
  return mintEvidence({ form, body }).bytes;
}
