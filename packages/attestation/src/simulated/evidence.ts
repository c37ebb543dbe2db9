/** Parse: the simulated report's bytes to a typed record. No trust. */
import { ByteReader, EncodingError, equalBytes } from "@blindbox/encoding";
import {
  SIMULATED_BODY_LENGTH,
  SIMULATED_DEBUG_FLAG,
  SIMULATED_MAGIC,
  SIMULATED_VERSION,
  type SimulatedReportBody,
} from "./layout.ts";

/** A whole report: its fields, the bytes that were signed, and the signature over them. Nothing of it is trusted yet. */
export interface SimulatedReport extends SimulatedReportBody {
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * Reads a report. Checks its form only: the signature is not verified here.
 *
 * @throws EncodingError for another magic or version, unknown flags, reserved bytes that are not zero, any other length.
 */
export function parseSimulatedReport(bytes: Uint8Array): SimulatedReport {
  const reader = new ByteReader(bytes, "report");
  expectMagic(reader.bytes(6, "magic"));
  expectNumber("version", SIMULATED_VERSION, reader.u16le("version"));
  const flags = reader.u32le("flags");
  expectNumber("flags", flags & SIMULATED_DEBUG_FLAG, flags);
  reader.mustBeZero(4, "reserved");
  const tcb = reader.u64le("tcb");
  const measurement = reader.bytes(48, "measurement");
  const binding = reader.bytes(64, "binding");
  const chipId = reader.bytes(32, "chipId");
  reader.mustBeZero(24, "reserved");
  const signature = reader.bytes(96, "signature");
  reader.end();
  const signed = bytes.subarray(0, SIMULATED_BODY_LENGTH);
  return { debug: flags === SIMULATED_DEBUG_FLAG, tcb, measurement, binding, chipId, signed, signature };
}

function expectMagic(actual: Uint8Array): void {
  if (equalBytes(actual, SIMULATED_MAGIC)) return;
  throw new EncodingError("bad-encoding", "report.magic", "BBSIM", "other bytes");
}

function expectNumber(field: string, expected: number, actual: number): void {
  if (expected === actual) return;
  throw new EncodingError("bad-encoding", `report.${field}`, String(expected), String(actual));
}
