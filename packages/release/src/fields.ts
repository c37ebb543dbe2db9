import { EncodingError, formatSha256, jsonString, type JsonValue, parseSha256 } from "@blindbox/encoding";
import type { ReleaseTee } from "./release.ts";

const TEES: readonly ReleaseTee[] = ["sev-snp", "tdx", "nitro", "azure-vtpm", "simulated"];

const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

const VERSION = /^[0-9A-Za-z](?:[0-9A-Za-z.+-]{0,62}[0-9A-Za-z])?$/;

/** Reads a product or a channel: a DNS label. */
export function readName(value: JsonValue | undefined, field: string): string {
  return readMatching(value, field, NAME, "1 to 63 lower-case letters, digits and inner hyphens");
}

/** Reads a version: no order is taken from it, that is what `sequence` is for. */
export function readVersion(value: JsonValue | undefined, field: string): string {
  return readMatching(value, field, VERSION, "1 to 64 letters, digits, dots, plus signs and hyphens");
}

/** Reads `sha256:<64 lower-case hex>`. */
export function readSha256(value: JsonValue | undefined, field: string): string {
  return formatSha256(parseSha256(jsonString(value, field), field));
}

/** Reads the kind of a TEE. */
export function readTee(value: JsonValue | undefined, field: string): ReleaseTee {
  const text = jsonString(value, field);
  return TEES.find((tee) => tee === text) ?? refuse(field, TEES.join(", "), text);
}

/** Reads the `type` of a document, which names its version. */
export function readType<T extends string>(value: JsonValue | undefined, field: string, type: T): T {
  const text = jsonString(value, field);
  return text === type ? type : refuse(field, type, text);
}

/** Reads a string of one form. */
export function readMatching(value: JsonValue | undefined, field: string, pattern: RegExp, expected: string): string {
  const text = jsonString(value, field);
  return pattern.test(text) ? text : refuse(field, expected, text);
}

function refuse(field: string, expected: string, text: string): never {
  throw new EncodingError("bad-encoding", field, expected, `a string of ${text.length} characters`);
}
