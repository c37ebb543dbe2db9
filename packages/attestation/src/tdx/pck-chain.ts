/** The certificates inside a quote: the platform's own (PCK), Intel's Platform or Processor CA, Intel's root. No trust. */
import { EncodingError, fromUtf8, parsePem } from "@blindbox/encoding";
import { EvidenceError, readAs } from "../evidence-error.ts";
import { commonNameOf, parseCertificate, type Certificate } from "../x509/index.ts";

import { parseSgxExtension, SGX_EXTENSION, type SgxExtension } from "./sgx-extension.ts";

/** The chain of one platform. */
export interface PckChain {
  readonly leaf: Certificate;
  readonly intermediate: Certificate;
  readonly root: Certificate;
  readonly rootDer: Uint8Array;
  /** Common names of leaf and intermediate, `null` where there is no single one. */
  readonly leafName: string | null;
  readonly intermediateName: string | null;
  readonly sgx: SgxExtension;
}

/**
 * The text of the chain. Intel's quoting library ends it with the zero byte of a C string, other producers do not.
 *
 * @throws EvidenceError for what is not UTF-8.
 */
export function pckChainText(pem: Uint8Array): string {
  const text = readAs("bad-certificate", () => fromUtf8(pem, "quote.pckChain"));
  return text.endsWith("\0") ? text.slice(0, -1) : text;
}

/**
 * Reads a chain: leaf, intermediate, root, and nothing else. Its order is checked by {@link verifyPckChain}.
 *
 * @throws EvidenceError `bad-certificate` for what cannot be read, `bad-chain` for another number of certificates.
 */
export function parsePckChain(pem: string): PckChain {
  const ders = readAs("bad-certificate", () => parsePem(pem, "CERTIFICATE", "quote.pckChain"));
  const [leafDer, intermediateDer, rootDer] = ders;
  if (leafDer === undefined || intermediateDer === undefined || rootDer === undefined || ders.length !== 3) {
    throw new EvidenceError("bad-chain", "quote.pckChain", "3 certificates", `${ders.length}`);
  }
  return readAs("bad-certificate", () => {
    const leaf = parseCertificate(leafDer, "pck certificate");
    const intermediate = parseCertificate(intermediateDer, "intermediate certificate");
    const root = parseCertificate(rootDer, "root certificate");
    const names = { leafName: commonNameOf(leaf.subject), intermediateName: commonNameOf(intermediate.subject) };
    return { leaf, intermediate, root, rootDer, ...names, sgx: sgxOf(leaf) };
  });
}

function sgxOf({ extensions }: Certificate): SgxExtension {
  const extension = extensions.find(({ oid }) => oid === SGX_EXTENSION);
  if (extension !== undefined) return parseSgxExtension(extension.value);
  throw new EncodingError("bad-encoding", "pck certificate", "Intel's SGX extension", "none");
}
