/**
 * Byte layout of the simulated report, shared by the simulated device and its verifier. 288 bytes, integers little-endian:
 *
 * | offset | size | field |
 * |---|---|---|
 * | 0 | 6 | magic `BBSIM` and a zero byte |
 * | 6 | 2 | version, 1 |
 * | 8 | 4 | flags: bit 0 debug, the others zero |
 * | 12 | 4 | reserved, zero |
 * | 16 | 8 | TCB version |
 * | 24 | 48 | measurement |
 * | 72 | 64 | binding |
 * | 136 | 32 | chip id: SHA-256 of the device key's DER SubjectPublicKeyInfo |
 * | 168 | 24 | reserved, zero |
 * | 192 | 96 | ECDSA P-384 with SHA-384 over bytes 0 to 191, as raw big-endian r and s |
 */
import { ByteWriter, utf8 } from "@blindbox/encoding";

/** Length of what is signed. */
export const SIMULATED_BODY_LENGTH = 192;

/** Length of the whole report, signature included. */
export const SIMULATED_REPORT_LENGTH = 288;

/** The TCB version that today's simulated device reports, and the strict policy's floor. */
export const SIMULATED_TCB = 1;

/** First bytes of every report. */
export const SIMULATED_MAGIC: Uint8Array = utf8("BBSIM\0");

/** The one version of this layout. */
export const SIMULATED_VERSION = 1;

/** The one flag that there is. */
export const SIMULATED_DEBUG_FLAG = 1;

/** What the simulated device signs. */
export interface SimulatedReportBody {
  readonly debug: boolean;
  readonly tcb: bigint;
  /** 48 bytes. */
  readonly measurement: Uint8Array;
  /** 64 bytes: {@link bindingOf} the Statement. */
  readonly binding: Uint8Array;
  /** 32 bytes: SHA-256 of the device key's DER SubjectPublicKeyInfo. */
  readonly chipId: Uint8Array;
}

/**
 * The 192 bytes that the device signs. The report is these bytes and the 96-byte raw signature behind them.
 *
 * @throws TypeError where a field has another length than the layout's.
 */
export function encodeSimulatedReportBody(fields: SimulatedReportBody): Uint8Array {
  return new ByteWriter()
    .bytes(SIMULATED_MAGIC)
    .u16le(SIMULATED_VERSION)
    .u32le(fields.debug ? SIMULATED_DEBUG_FLAG : 0)
    .zero(4)
    .u64le(fields.tcb)
    .bytes(ofLength(fields.measurement, 48, "measurement"))
    .bytes(ofLength(fields.binding, 64, "binding"))
    .bytes(ofLength(fields.chipId, 32, "chipId"))
    .zero(24)
    .finish();
}

function ofLength(bytes: Uint8Array, length: number, field: string): Uint8Array {
  if (bytes.length === length) return bytes;
  throw new TypeError(`${field}: expected ${length} bytes, got ${bytes.length}`);
}
