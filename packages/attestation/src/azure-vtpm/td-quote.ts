/** The TD quote as Azure's metadata service hands it out: in a buffer that is longer than the quote. */
import { ByteReader } from "@blindbox/encoding";

const version4 = 4;
const headerLength = 48;
const version4BodyLength = 584;

/**
 * The quote without the zero bytes behind its end. Whatever is no quote, or has something else there, is returned as it is: the
 * hardware's own reader refuses it and says why.
 *
 * @throws EncodingError where it ends before its own lengths do.
 */
export function withoutPadding(bytes: Uint8Array): Uint8Array {
  const end = endOf(bytes);
  const isPadding = bytes.subarray(end).every((byte) => byte === 0);
  return isPadding ? bytes.subarray(0, end) : bytes;
}

function endOf(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes, "quote");
  const version = reader.u16le("version");
  reader.bytes(headerLength - 2, "header");
  reader.bytes(version === version4 ? version4BodyLength : describedLength(reader), "body");
  reader.bytes(reader.u32le("signatureDataLength"), "signatureData");
  return reader.offset;
}

/** From version 5 on the body's type and length stand before it. */
function describedLength(reader: ByteReader): number {
  reader.u16le("bodyType");
  return reader.u32le("bodyLength");
}
