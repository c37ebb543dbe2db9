import { BuildError } from "../build-error.ts";
import { type JsonObject, objectAt, optionalTextAt, sizeAt, textAt } from "./json-fields.ts";

/** What the image says of one of its blobs (OCI image specification, "Descriptor"). */
export interface Descriptor {
  /** Where it stood, for errors. */
  readonly field: string;
  readonly mediaType: string;
  /** `sha256:<64 lower-case hex>`. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** `os/architecture`, with the variant where there is one; null when the descriptor does not say. */
  readonly platform: string | null;
  /** A statement about an image (provenance, SBOM) and not an image. */
  readonly isAttestation: boolean;
}

/** Reads a digest. Others than SHA-256 are refused: nothing writes them, and every digest is checked. */
export function digestAt(value: unknown, field: string): string {
  const digest = textAt(value, field);
  if (/^sha256:[0-9a-f]{64}$/.test(digest)) return digest;
  throw new BuildError("malformed-image", { field, expected: "sha256: and 64 lower-case hex", actual: "another text" });
}

/** The name of a blob in an OCI layout. */
export function blobName(digest: string): string {
  return `blobs/${digest.replace(":", "/")}`;
}

function platformOf(value: unknown, field: string): string | null {
  if (value === undefined || value === null) return null;
  const platform = objectAt(value, field);
  const variant = optionalTextAt(platform["variant"], `${field}.variant`);
  const name = `${textAt(platform["os"], `${field}.os`)}/${textAt(platform["architecture"], `${field}.architecture`)}`;
  return variant === "" ? name : `${name}/${variant}`;
}

function isAttestation(descriptor: JsonObject, field: string): boolean {
  const annotations = descriptor["annotations"] ?? {};
  return objectAt(annotations, `${field}.annotations`)["vnd.docker.reference.type"] === "attestation-manifest";
}

export function parseDescriptor(value: unknown, field: string): Descriptor {
  const descriptor = objectAt(value, field);
  return {
    field,
    mediaType: textAt(descriptor["mediaType"], `${field}.mediaType`),
    digest: digestAt(descriptor["digest"], `${field}.digest`),
    size: sizeAt(descriptor["size"], `${field}.size`),
    platform: platformOf(descriptor["platform"], `${field}.platform`),
    isAttestation: isAttestation(descriptor, field),
  };
}
