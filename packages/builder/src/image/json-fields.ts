/** Reading members of the JSON documents of an image. Unlike our own documents they may hold members that we do not know. */
import { BuildError } from "../build-error.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  return Array.isArray(value) ? `a list of ${value.length}` : `a ${typeof value}`;
}

/** The error for a member that is not what the image specification says. */
export function malformed(field: string, expected: string, value: unknown): BuildError {
  return new BuildError("malformed-image", { field, expected, actual: kindOf(value) });
}

/** Parses UTF-8 JSON of an image; `field` names the document. */
export function parseDocument(bytes: Uint8Array, field: string): JsonObject | readonly unknown[] {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof value === "object" && value !== null) return value as JsonObject | unknown[];
  } catch {
    // Told below: the parser's own words would quote the document.
  }
  throw new BuildError("malformed-image", {
    field,
    expected: "a JSON document",
    actual: `${bytes.length} other bytes`,
  });
}

export function objectAt(value: unknown, field: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed(field, "an object", value);
  return value as JsonObject;
}

export function textAt(value: unknown, field: string): string {
  if (typeof value !== "string") throw malformed(field, "a text", value);
  return value;
}

export function sizeAt(value: unknown, field: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw malformed(field, "a size in bytes", value);
  return value as number;
}

export function listAt(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(field, "a list", value);
  return value;
}

/** A list of texts; absent and null are the empty list, as Docker writes them. */
export function textsAt(value: unknown, field: string): readonly string[] {
  if (value === undefined || value === null) return [];
  return listAt(value, field).map((item, index) => textAt(item, `${field}[${index}]`));
}

/** A text; absent and null are the empty text. */
export function optionalTextAt(value: unknown, field: string): string {
  return value === undefined || value === null ? "" : textAt(value, field);
}
