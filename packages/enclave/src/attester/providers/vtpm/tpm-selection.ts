/** TPML_PCR_SELECTION of one bank, SHA-256, and three bytes of bits. */
import { type ByteReader, ByteWriter } from "@blindbox/encoding";
import { DeviceFault } from "../device-fault.ts";
import { ALGORITHM_SHA256, PCR_COUNT } from "./tpm-constants.ts";

const selectBytes = 3;

export const ALL_PCRS: readonly number[] = Array.from({ length: PCR_COUNT }, (_, index) => index);

export function formatSelection(indices: readonly number[]): Uint8Array {
  const bits = new Uint8Array(selectBytes);
  for (const index of indices) bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
  return new ByteWriter().u32be(1).u16be(ALGORITHM_SHA256).u8(selectBytes).bytes(bits).finish();
}

/** The indices in a selection. @throws DeviceFault for other banks, EncodingError for another form */
export function readSelection(reader: ByteReader): readonly number[] {
  const banks = reader.u32be("selections");
  const bank = banks === 1 ? reader.u16be("bank") : 0;
  const length = banks === 1 ? reader.u8("selectSize") : 0;
  if (bank !== ALGORITHM_SHA256 || length !== selectBytes) {
    throw new DeviceFault("malformed", "the TPM selects something else than PCRs of SHA-256");
  }
  const bits = reader.bytes(selectBytes, "select");
  return ALL_PCRS.filter((index) => ((bits[index >> 3] ?? 0) >> (index & 7)) & 1);
}
