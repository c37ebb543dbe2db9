import { EncodingError, fromBase64, parsePem, toBase64 } from "@blindbox/encoding";
import { kindOf, list, type Shape } from "../shape/index.ts";
import { isCertificate } from "./certificate.ts";

/** Most roots of one rule: a private authority has one or two, with an old and a new one. */
const MAX_ROOTS = 16;

/** Characters of one certificate. Common ones take 3 KiB; ten of the largest still fit a Manifest. */
const MAX_CHARACTERS = 12_288;

/** Characters of the PEM text of all roots of one rule, so that a Manifest still holds them. */
const MAX_PEM = 131_072;

const oneRoot: Shape<string> = {
  schema: { type: "string", maxLength: MAX_CHARACTERS },
  read(value, at) {
    const isRoot = typeof value === "string" && value.length <= MAX_CHARACTERS && isBase64Certificate(value);
    return isRoot ? value : at.problem("base64 of one DER certificate", kindOf(value));
  },
};

/** The roots of a rule in the resolved form: base64 of DER, each once. */
export const rootsShape: Shape<readonly string[]> = list(oneRoot, { min: 1, max: MAX_ROOTS, unique: true });

/** The roots of a rule as written: PEM text of certificates and nothing else, read into base64 of DER. */
export const rootsSourceShape: Shape<readonly string[]> = {
  schema: { type: "string", pattern: "^\\s*-----BEGIN CERTIFICATE-----", maxLength: MAX_PEM },
  read(value, at) {
    const roots = typeof value === "string" && value.length <= MAX_PEM ? readPem(value) : null;
    if (roots !== null) return rootsShape.read(roots, at);
    const hint = "write the blocks from BEGIN CERTIFICATE to END CERTIFICATE, without text between them";
    return at.problem("PEM text of certificates", kindOf(value), hint);
  },
};

function isBase64Certificate(text: string): boolean {
  return unlessMalformed(() => isCertificate(fromBase64(text)), false);
}

function readPem(text: string): readonly string[] | null {
  return unlessMalformed(() => parsePem(text, "CERTIFICATE").map(toBase64), null);
}

function unlessMalformed<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof EncodingError) return otherwise;
    throw error;
  }
}
