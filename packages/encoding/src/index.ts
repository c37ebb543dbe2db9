export { fromBase64, fromBase64url, toBase64, toBase64url } from "./bytes/base64.ts";
export { ByteReader } from "./bytes/byte-reader.ts";
export { ByteWriter } from "./bytes/byte-writer.ts";
export { concatBytes, equalBytes } from "./bytes/compare.ts";
export { fromHex, toHex } from "./bytes/hex.ts";
export { fromUtf8, utf8 } from "./bytes/text.ts";
export { encodeCbor } from "./cbor/encode.ts";
export { cborArray, cborBytes, cborInteger, cborMap, cborMapOf, cborText, type LengthRange } from "./cbor/members.ts";
export { type CborLimits, parseCbor } from "./cbor/parse.ts";
export { type CborKey, type CborMap, CborTagged, type CborValue } from "./cbor/value.ts";
export { type DerElement, derChildren, derExpect, derRead, derSequence } from "./der/element.ts";
export { derOid } from "./der/oid.ts";
export { DER_TAG } from "./der/tags.ts";
export { derText } from "./der/text.ts";
export { derTime } from "./der/time.ts";
export {
  derBitString,
  derBits,
  derBoolean,
  derInteger,
  derOctetString,
  derSmallInteger,
  derUnsigned,
  type DerBits,
} from "./der/values.ts";
export { type DigestName, digest, formatSha256, parseSha256 } from "./digest.ts";
export { EncodingError, type EncodingErrorCode } from "./encoding-error.ts";
export { canonicalJson, type JsonLimits, parseCanonicalJson } from "./json/canonical.ts";
export { type ForeignJson, type ForeignJsonLimits, parseForeignJson } from "./json/foreign.ts";
export { type IntegerRange, jsonArray, jsonBoolean, jsonInteger, jsonObject, jsonString } from "./json/members.ts";
export type { JsonValue } from "./json/value.ts";
export {
  type HashBytes,
  type MerkleProof,
  type MerkleTree,
  maxMerkleLeaves,
  merkleRoot,
  merkleTree,
} from "./merkle.ts";
export { formatPem, parsePem } from "./pem.ts";
