/** Remembers what Endorsements were read to: a machine sends the same texts again and again. */
import { digest, fromBase64url, toHex } from "@blindbox/encoding";
import { readAs } from "../evidence-error.ts";
import { remembered } from "../remembered.ts";
import { commonNameOf, parseCertificate, parseCrl, type Certificate, type Crl } from "../x509/index.ts";
import { parseEndorsementKey, type EndorsementKey } from "./endorsement-key.ts";

/** Two issuers a product line and kind of key, keys and CRLs of the machines that one client talks to. */
const maxTexts = 64;

/** Certificates take 2,400 characters. */
const maxLength = 16 * 1024;

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
    key: remembered({ maxTexts, maxLength }, (text, field: string) =>
      readAs("bad-certificate", () => parseEndorsementKey(der(text, field), field)),
    ),
    issuer: remembered({ maxTexts, maxLength }, (text, field: string) =>
      readAs("bad-certificate", () => parseIssuer(der(text, field), field)),
    ),
    crl: remembered({ maxTexts, maxLength }, (text, field: string) => parseCrl(der(text, field), field)),
  };
}

function parseIssuer(der: Uint8Array, field: string): KnownIssuer {
  const certificate = parseCertificate(der, field);
  const commonName = commonNameOf(certificate.subject);
  return { certificate, commonName, sha256: digest("SHA-256", der).then(toHex) };
}
