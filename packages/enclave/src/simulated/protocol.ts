/**
 * What the box and the simulated device say to each other over the unix socket: one canonical JSON line each way, then
 * the connection is over.
 */
import {
  canonicalJson,
  fromBase64url,
  fromHex,
  type JsonValue,
  jsonObject,
  jsonString,
  parseCanonicalJson,
  toBase64url,
  toHex,
} from "@blindbox/encoding";
import type { DeviceEvidence } from "../parts.ts";

/** Bytes of a request line: 64 bytes in hex and the member around them, with room to spare. */
export const maxRequestBytes = 256;

/** Bytes of a reply line: a report, two certificates and two CRLs need 4 KiB. */
export const maxReplyBytes = 65_536;

/** Why the device gave no Evidence. */
export type DeviceFault = "bad-request" | "failed";

export function formatRequest(binding: Uint8Array): string {
  return `${canonicalJson({ binding: toHex(binding) })}\n`;
}

/** @throws EncodingError for anything but `{"binding":"<128 hex>"}` */
export function parseRequest(line: string): Uint8Array {
  const members = jsonObject(parseCanonicalJson(line, { maxBytes: maxRequestBytes }), "request", ["binding"]);
  return fromHex(jsonString(members["binding"] ?? null, "request.binding"), "request.binding");
}

export function formatReply({ evidence, endorsements }: DeviceEvidence): string {
  return `${canonicalJson({ evidence: toBase64url(evidence), endorsements })}\n`;
}

export function formatFault(error: DeviceFault): string {
  return `${canonicalJson({ error })}\n`;
}

/** @throws EncodingError for anything but Evidence with its Endorsements, a reported fault too */
export function parseReply(line: string): DeviceEvidence {
  const value: JsonValue = parseCanonicalJson(line, { maxBytes: maxReplyBytes });
  const members = jsonObject(value, "reply", ["evidence", "endorsements"]);
  const evidence = fromBase64url(jsonString(members["evidence"] ?? null, "reply.evidence"), "reply.evidence");
  return { evidence, endorsements: members["endorsements"] ?? null };
}
