/** Reading certificates and CRLs out of answers and documents: form and dates, no trust. */
import {
  EncodingError,
  fromBase64url,
  fromUtf8,
  jsonArray,
  jsonString,
  parsePem,
  toBase64url,
  type JsonValue,
} from "@blindbox/encoding";
import { parseCertificate, parseCrl, type Certificate, type Crl } from "../x509/index.ts";
import type { Dated } from "./part.ts";

/** Chains below a vendor's root have one or two CAs. */
const maxChain = 4;

function certificateOf(value: JsonValue | undefined, field: string): Certificate {
  return parseCertificate(fromBase64url(jsonString(value, field), field), field);
}

/** A CRL in base64url. */
export function crlOf(value: JsonValue | undefined, field: string): Crl {
  return parseCrl(fromBase64url(jsonString(value, field), field), field);
}

/** Certificates in base64url, exactly `length` of them. */
export function certificatesOf(value: JsonValue | undefined, field: string, length: number): readonly Certificate[] {
  const items = jsonArray(value, field, maxChain);
  return exactly(items, length, field).map((item, at) => certificateOf(item, `${field}[${at}]`));
}

/** Certificates in PEM, exactly `length` of them. */
export function pemChainOf(value: JsonValue | undefined, field: string, length: number): readonly Certificate[] {
  const blocks = parsePem(jsonString(value, field), "CERTIFICATE", field);
  return exactly(blocks, length, field).map((der, at) => parseCertificate(der, `${field}[${at}]`));
}

/** The certificates of an answer in PEM, in base64url. */
export function pemToBase64url(bytes: Uint8Array, field: string): readonly string[] {
  return parsePem(fromUtf8(bytes, field), "CERTIFICATE", field).map(toBase64url);
}

function exactly<T>(items: readonly T[], length: number, field: string): readonly T[] {
  if (items.length === length) return items;
  throw new EncodingError("bad-encoding", field, `${length} certificates`, `${items.length}`);
}

/** The dates of a certificate. */
export function certificateDates(name: string, { notBefore, notAfter }: Certificate): Dated {
  return { name, issued: notBefore, expires: notAfter, number: null };
}

/** The dates of a CRL. */
export function crlDates(name: string, { thisUpdate, nextUpdate, number }: Crl): Dated {
  return { name, issued: thisUpdate, expires: nextUpdate, number };
}
