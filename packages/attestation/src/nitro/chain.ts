/** The chain that a document brings with it. */
import { equalBytes } from "@blindbox/encoding";
import { EvidenceError } from "../evidence-error.ts";
import type { NitroDocument } from "./evidence.ts";
import type { CertificateReading, KnownCertificate } from "./known-certificates.ts";

/** The chain inside a document. */
export interface NitroChain {
  readonly root: KnownCertificate;
  /** The leaf's issuer last, as in the document; the root left out. */
  readonly issuers: readonly KnownCertificate[];
  readonly leaf: KnownCertificate;
}

/**
 * Reads the chain.
 *
 * @throws EvidenceError `bad-certificate` where one of it is no certificate, `bad-chain` where one stands there twice: a root
 * is its own issuer, so that it would fit in any number.
 */
export function readChain({ cabundle, certificate }: NitroDocument, reading: CertificateReading): NitroChain {
  expectDistinct([...cabundle, certificate]);
  const [root, ...issuers] = cabundle.map((der, at) => reading(der, `document.cabundle[${at}]`));
  if (root === undefined) throw new TypeError("a document has a cabundle that is not empty");
  return { root, issuers, leaf: reading(certificate, "document.certificate") };
}

function expectDistinct(chain: readonly Uint8Array[]): void {
  const repeated = chain.some((der, at) => chain.slice(0, at).some((other) => equalBytes(der, other)));
  if (repeated) throw new EvidenceError("bad-chain", "document.cabundle", "each certificate once", "one twice");
}
