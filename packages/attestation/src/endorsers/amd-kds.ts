/** AMD's Key Distribution Service: VCEK, chain and CRL of an SEV-SNP machine. */
import { EncodingError, equalBytes, fromBase64url, jsonArray, jsonString, toBase64url } from "@blindbox/encoding";
import { parseEndorsementKey } from "../sev-snp/endorsement-key.ts";
import { amdProducts } from "../sev-snp/products.ts";
import { commonNameOf } from "../x509/index.ts";
import { demandEk, hwidOf, tcbComponents } from "./amd-chip.ts";
import { certificateDates, certificatesOf, crlDates, crlOf, pemToBase64url } from "./certificate-reading.ts";
import { mismatch } from "./endorser-error.ts";
import { DAILY, MONTHLY, type Content, type Part } from "./part.ts";
import type { SevSnpSubject } from "./subject.ts";
import { AMD_KDS, type VendorAnswer, type VendorRequest } from "./vendor-fetch.ts";

/** A VCEK takes 1,400 bytes. */
const maxCertificate = 8 * 1024;
/** ASK and ARK in PEM take 4,400 bytes. */
const maxChain = 32 * 1024;
/** AMD's lists hold a handful of CAs; as much as a CRL may have at all. */
const maxCrl = 512 * 1024;

/** Address of the VCEK of a chip at a TCB. @throws EndorserError where the report does not name the chip. */
export function vcekUrl(subject: SevSnpSubject): string {
  const parameters = tcbComponents(subject).map(({ parameter, value }) => `${parameter}=${value}`);
  const { name } = amdProducts[subject.product];
  return `${AMD_KDS}/vcek/v1/${name}/${hwidOf(subject)}?${parameters.join("&")}`;
}

/** Address of the chain above the VCEKs, or the VLEKs, of a product: ASK or ASVK, then ARK. */
export function amdChainUrl({ product, key }: Pick<SevSnpSubject, "product" | "key">): string {
  return `${AMD_KDS}/${key}/v1/${amdProducts[product].name}/cert_chain`;
}

/** Address of the CRL of a product's ARK. */
export function amdCrlUrl({ product }: Pick<SevSnpSubject, "product">): string {
  return `${AMD_KDS}/vcek/v1/${amdProducts[product].name}/crl`;
}

/** The EK certificate, in `ek`. */
export function ekContent(subject: SevSnpSubject): Content {
  return {
    members: ["ek"],
    check: ({ ek }) => {
      const key = parseEndorsementKey(fromBase64url(jsonString(ek, "ek"), "ek"), "ek");
      demandName(key.certificate.issuer, "ek", issuerName(subject));
      demandEk(key, subject);
      return [certificateDates("ek", key.certificate)];
    },
  };
}

/** The chain, in `issuers`: the EK's issuer first, the root last. */
export function issuersContent(subject: SevSnpSubject): Content {
  return {
    members: ["issuers"],
    check: ({ issuers }) => {
      const chain = certificatesOf(issuers, "issuers", 2);
      const [signer, root] = chain;
      demandName(signer?.subject, "issuers[0]", issuerName(subject));
      demandName(root?.subject, "issuers[1]", rootName(subject));
      if (signer === undefined || root === undefined || !equalBytes(signer.issuer, root.subject)) {
        throw mismatch("issuers", "a chain in order", "another order");
      }
      return chain.map((certificate, at) => certificateDates(`issuers[${at}]`, certificate));
    },
  };
}

/** The CRL of the root, alone in `crls`. */
export function crlsContent(subject: SevSnpSubject): Content {
  return {
    members: ["crls"],
    check: ({ crls }) => {
      const list = jsonArray(crls, "crls", 1);
      if (list.length === 0) throw new EncodingError("bad-encoding", "crls", "one CRL", "none");
      const crl = crlOf(list[0], "crls[0]");
      demandName(crl.issuer, "crls[0]", rootName(subject));
      return [crlDates("crls[0]", crl)];
    },
  };
}

/** The VCEK by KDS. */
export function vcekPart(subject: SevSnpSubject): Part {
  const read = ({ bytes }: VendorAnswer) => ({ ek: toBase64url(bytes) });
  return kdsPart(ekContent(subject), vcekUrl(subject), maxCertificate, MONTHLY, read);
}

/** The chain by KDS. */
export function issuersPart(subject: SevSnpSubject): Part {
  const read = ({ bytes }: VendorAnswer) => ({ issuers: pemToBase64url(bytes, "issuers") });
  return kdsPart(issuersContent(subject), amdChainUrl(subject), maxChain, MONTHLY, read);
}

/** The CRL by KDS. */
export function crlsPart(subject: SevSnpSubject): Part {
  const read = ({ bytes }: VendorAnswer) => ({ crls: [toBase64url(bytes)] });
  return kdsPart(crlsContent(subject), amdCrlUrl(subject), maxCrl, DAILY, read);
}

function kdsPart(content: Content, url: string, maxBytes: number, keepSeconds: number, read: Part["read"]): Part {
  const request: VendorRequest = { url, headers: {}, maxBytes, field: content.members[0] ?? "" };
  return { ...content, request, key: url, keepSeconds, read };
}

function issuerName({ product, key }: SevSnpSubject): string {
  return `SEV-${key === "vlek" ? "VLEK-" : ""}${amdProducts[product].name}`;
}

function rootName({ product }: SevSnpSubject): string {
  return `ARK-${amdProducts[product].name}`;
}

// Tells a chain of another product or kind of key, before it is kept. Whether it is AMD's is the Verifier's to say.
function demandName(name: Uint8Array | undefined, field: string, expected: string): void {
  if (name !== undefined && commonNameOf(name) === expected) return;
  throw mismatch(field, `a name of ${expected}`, "another name");
}
