/** Remembers what Endorsements were read to: a machine sends the same texts again and again. */
import { digest, fromBase64url, toHex } from "@blindbox/encoding";
import { readAs } from "../evidence-error.ts";
import { commonNameOf, parseCertificate, parseCrl, type Certificate, type Crl } from "../x509/index.ts";
import { parseEndorsementKey, type EndorsementKey } from "./endorsement-key.ts";

/** Two issuers a product line and kind of key, keys and CRLs of the machines that one client talks to. */
const maxKnown = 64;

/** Longest text that is kept: certificates take 2,400 characters. */
const maxText = 16 * 1024;

/** An issuer's or root's certificate. */
export interface KnownIssuer {
  readonly certificate: Certificate;
  readonly commonName: string | null;
  /** SHA-256 of the certificate, in hex. */
  readonly sha256: Promise<string>;
}

/** Readers of the parts of Endorsements, from base64url. Each throws an EncodingError for what cannot be read. */
export interface EndorsementReading {
  readonly key: (text: string, field: string) => EndorsementKey;
  readonly issuer: (text: string, field: string) => KnownIssuer;
  readonly crl: (text: string, field: string) => Crl;
}

/** Readers that read the same text once. They keep what bytes say, never whether that is true. */
export function rememberEndorsements(): EndorsementReading {
  const der = (text: string, field: string): Uint8Array => fromBase64url(text, field);
  return {
    key: remembered((text, field) => readAs("bad-certificate", () => parseEndorsementKey(der(text, field), field))),
    issuer: remembered((text, field) => readAs("bad-certificate", () => parseIssuer(der(text, field), field))),
    crl: remembered((text, field) => parseCrl(der(text, field), field)),
  };
}

function parseIssuer(der: Uint8Array, field: string): KnownIssuer {
  const certificate = parseCertificate(der, field);
  const commonName = commonNameOf(certificate.subject);
  return { certificate, commonName, sha256: digest("SHA-256", der).then(toHex) };
}

/** `read`, which asks once a text. What it throws is never kept; the oldest entry makes room. */
function remembered<T>(read: (text: string, field: string) => T): (text: string, field: string) => T {
  const known = new Map<string, T>();
  return (text, field) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const value = read(text, field);
    const [oldest] = known.keys();
    if (known.size >= maxKnown && oldest !== undefined) known.delete(oldest);
    if (text.length <= maxText) known.set(text, value);
    return value;
  };
}
