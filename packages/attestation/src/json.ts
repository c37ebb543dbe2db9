/** Reading of the few shapes that our documents share, each refusing what is not exactly that shape. */
import { EncodingError, fromBase64url, jsonString, parseSha256, type JsonValue } from "@blindbox/encoding";
import type { BindingMode, TeeKind } from "./types.ts";

/** Every kind of TEE that this version knows. */
export const TEE_KINDS: readonly TeeKind[] = ["sev-snp", "tdx", "nitro", "azure-vtpm", "simulated"];
const bindingModes: readonly BindingMode[] = ["tls-exporter", "none"];

function oneOf<T extends string>(text: string, allowed: readonly T[], path: string): T {
  const found = allowed.find((word) => word === text);
  if (found !== undefined) return found;
  throw new EncodingError("bad-encoding", path, allowed.join(" or "), "another word");
}

/** The name of a TEE that this version knows. */
export function jsonTee(value: JsonValue | undefined, path: string): TeeKind {
  return oneOf(jsonString(value, path), TEE_KINDS, path);
}

/** The name of a binding mode that this version knows. */
export function jsonBindingMode(value: JsonValue | undefined, path: string): BindingMode {
  return oneOf(jsonString(value, path), bindingModes, path);
}

/** Exactly the text `expected`: the type of a document, its version included. */
export function jsonType<T extends string>(value: JsonValue | undefined, path: string, expected: T): T {
  return oneOf(jsonString(value, path), [expected], path);
}

/** `sha256:<64 lower-case hex>`, returned as the text that it is. */
export function jsonSha256(value: JsonValue | undefined, path: string): string {
  const text = jsonString(value, path);
  parseSha256(text, path);
  return text;
}

/** Bytes in base64url, of exactly `length` bytes where one is given. */
export function jsonBytes(value: JsonValue | undefined, path: string, length?: number): Uint8Array {
  const bytes = fromBase64url(jsonString(value, path), path);
  if (length === undefined || bytes.length === length) return bytes;
  throw new EncodingError("bad-encoding", path, `${length} bytes`, `${bytes.length} bytes`);
}

/** An object with whatever members: for documents of others, which may say more than we read. */
export function jsonMembers(value: JsonValue | undefined, path: string): Readonly<Record<string, JsonValue>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, JsonValue>>;
  }
  throw new EncodingError("bad-encoding", path, "an object", "another value");
}

/** `null`, or what `read` makes of the value. */
export function jsonOrNull<T>(value: JsonValue | undefined, read: (value: JsonValue) => T): T | null {
  return value === null || value === undefined ? null : read(value);
}
