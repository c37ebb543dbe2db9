/** Remembers what certificates were read to: an enclave sends the same chain for three hours, and AWS's regional ones for weeks. */
import { digest, equalBytes, toHex } from "@blindbox/encoding";
import { readAs } from "../evidence-error.ts";
import { parseCertificate, type Certificate } from "../x509/index.ts";

/** Five certificates an enclave, four of which it shares with others. */
const maxKnown = 128;

/** A certificate of the chain. */
export interface KnownCertificate {
  readonly certificate: Certificate;
  /** SHA-256 of the certificate, in hex. Computed when it is first asked for. */
  readonly sha256: () => Promise<string>;
}

/** Reads a certificate in DER. @throws EvidenceError `bad-certificate` for what is none. */
export type CertificateReading = (der: Uint8Array, field: string) => KnownCertificate;

/** A reader that reads the same bytes once. It keeps what bytes say, never whether that is true. The oldest entry makes room. */
export function rememberCertificates(): CertificateReading {
  const known = new Map<string, { readonly der: Uint8Array; readonly value: KnownCertificate }>();
  return (der, field) => {
    const place = placeOf(der);
    const found = known.get(place);
    if (found !== undefined && equalBytes(found.der, der)) return found.value;
    // A copy: the record and what it is found by outlive the document.
    const entry = new Uint8Array(der);
    const value = readCertificate(entry, field);
    known.delete(place);
    const [oldest] = known.keys();
    if (known.size >= maxKnown && oldest !== undefined) known.delete(oldest);
    known.set(place, { der: entry, value });
    return value;
  };
}

/** Where an entry stands: the end of its signature and its length. What stands there is compared as a whole. */
function placeOf(der: Uint8Array): string {
  return `${toHex(der.subarray(-24))} ${der.length}`;
}

function readCertificate(der: Uint8Array, field: string): KnownCertificate {
  const certificate = readAs("bad-certificate", () => parseCertificate(der, field));
  let sha256: Promise<string> | null = null;
  return {
    certificate,
    sha256: () => {
      sha256 ??= digest("SHA-256", der).then(toHex);
      return sha256;
    },
  };
}
