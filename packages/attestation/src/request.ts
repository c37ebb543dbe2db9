/** The attestation request: what a client sends over the connection that it wants attested. */
import { canonicalJson, jsonObject, parseCanonicalJson, toBase64url } from "@blindbox/encoding";
import { jsonBindingMode, jsonBytes } from "./json.ts";
import type { AttestationRequest } from "./types.ts";

/** Longest request that is read; a well-formed one has 83 bytes at most. */
export const MAX_ATTESTATION_REQUEST_BYTES: number = 1024;

/**
 * Reads `{"binding":…,"nonce":…}`: canonical JSON, these two members, 32 bytes of nonce in base64url.
 *
 * @throws EncodingError for anything else. There is no default mode.
 */
export function parseAttestationRequest(input: Uint8Array | string): AttestationRequest {
  const value = parseCanonicalJson(input, { maxBytes: MAX_ATTESTATION_REQUEST_BYTES, maxDepth: 1 });
  const members = jsonObject(value, "request", ["binding", "nonce"]);
  return {
    binding: jsonBindingMode(members.binding, "request.binding"),
    nonce: jsonBytes(members.nonce, "request.nonce", 32),
  };
}

/**
 * The one text of an attestation request.
 *
 * @throws EncodingError where the nonce is not 32 bytes or the mode is unknown.
 */
export function formatAttestationRequest(request: AttestationRequest): string {
  const text = canonicalJson({ binding: request.binding, nonce: toBase64url(request.nonce) });
  parseAttestationRequest(text);
  return text;
}
