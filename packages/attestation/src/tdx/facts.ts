/** Every field of a quote by name, as the page of this TEE lists them. */
import { toHex, type JsonValue } from "@blindbox/encoding";
import { INTEL_QE_VENDOR, type TdQuote } from "./evidence.ts";
import type { TupleShape } from "../tee.ts";
import type { TdReport } from "./td-report.ts";

const tuple = {
  mrtd: 48,
  rtmr0: 48,
  rtmr1: 48,
  rtmr2: 48,
  rtmr3: 48,
  mrconfigid: 48,
  mrowner: 48,
  mrownerconfig: 48,
  tdAttributes: 8,
  xfam: 8,
} as const satisfies Readonly<Partial<Record<keyof TdReport, number>>>;

/** The registers of one complete tuple of Reference Values, with their lengths in bytes. */
export const TDX_TUPLE: TupleShape = tuple;

/** The registers in lower-case hex. */
export function registersOf({ td }: TdQuote): Readonly<Record<string, string>> {
  const names = Object.keys(tuple) as readonly (keyof typeof tuple)[];
  return Object.fromEntries(names.map((name) => [name, toHex(td[name])]));
}

/** All fields. What TDX 1.0 does not have is `null`. */
export function factsOf(quote: TdQuote): Readonly<Record<string, JsonValue>> {
  const { version, bodyType, userData, td } = quote;
  const body = Object.entries(td).map(([name, bytes]: [string, Uint8Array | null]) => [name, bytes && toHex(bytes)]);
  return {
    version,
    bodyType,
    // A quote of another kind of key, of TEE or of another vendor has been refused as unreadable.
    attestationKeyType: 2,
    teeType: 0x81,
    qeVendorId: INTEL_QE_VENDOR,
    userData: toHex(userData),
    ...(Object.fromEntries(body) as Readonly<Record<string, string | null>>),
    ...qeFacts(quote),
    ...pckFacts(quote),
  };
}

function qeFacts({ qe, qeAuthData, attestationKey }: TdQuote): Readonly<Record<string, JsonValue>> {
  return {
    attestationKey: toHex(attestationKey),
    qeAuthData: toHex(qeAuthData),
    qeCpuSvn: toHex(qe.cpuSvn),
    qeMiscselect: toHex(qe.miscselect),
    qeAttributes: toHex(qe.attributes),
    qeMrenclave: toHex(qe.mrenclave),
    qeMrsigner: toHex(qe.mrsigner),
    qeIsvProdId: qe.isvProdId,
    qeIsvSvn: qe.isvSvn,
  };
}

function pckFacts({ pck: { sgx, intermediateName } }: TdQuote): Readonly<Record<string, JsonValue>> {
  return {
    pckAuthority: intermediateName,
    ppid: sgx.ppid,
    fmspc: sgx.fmspc,
    pceId: sgx.pceId,
    pckSgxTcb: sgx.sgxTcb,
    pcesvn: sgx.pceSvn,
    cpusvn: sgx.cpuSvn,
    sgxType: sgx.sgxType,
    platformInstanceId: sgx.platformInstanceId,
    dynamicPlatform: sgx.dynamicPlatform,
    cachedKeys: sgx.cachedKeys,
    smtEnabled: sgx.smtEnabled,
  };
}
