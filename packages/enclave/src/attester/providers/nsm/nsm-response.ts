/** What the Nitro Security Module answers: `{"Attestation": {"document": bytes}}` or `{"Error": name}`, in CBOR (RFC 8949). */
import { cborBytes, cborMapOf, cborText, type CborLimits, type CborValue, parseCbor } from "@blindbox/encoding";
import { DeviceFault } from "../device-fault.ts";

/** The driver hands out 12 KiB at most; a document inside is bytes, so two maps are all that nests. */
const limits: CborLimits = { maxBytes: 12_288, maxDepth: 2, indefinite: false, tags: [] };

/** The errors of the module, as its driver names them; any other name is not repeated. */
const errorNames: readonly string[] = [
  "InvalidArgument",
  "InvalidIndex",
  "InvalidResponse",
  "ReadOnlyIndex",
  "InvalidOperation",
  "BufferTooSmall",
  "InputTooLarge",
  "InternalError",
];

/**
 * The document in an answer.
 *
 * @throws DeviceFault where the module reports an error; EncodingError for what is no answer of this form.
 */
export function documentInResponse(bytes: Uint8Array): Uint8Array {
  const value = parseCbor(bytes, limits, "nsm");
  const answer = cborMapOf(value, "nsm", ["Attestation", "Error"]);
  if (answer.has("Error")) throw new DeviceFault("failed", `nsm: ${errorName(answer.get("Error"))}`);
  const attestation = cborMapOf(answer.get("Attestation"), "nsm.Attestation", ["document"]);
  return cborBytes(attestation.get("document"), "nsm.Attestation.document", { min: 1, max: limits.maxBytes });
}

function errorName(value: CborValue | undefined): string {
  const name = cborText(value, "nsm.Error", { min: 1, max: 64 });
  return errorNames.includes(name) ? name : "an error of another name";
}
