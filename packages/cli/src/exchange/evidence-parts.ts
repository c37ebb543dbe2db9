/** Where in the Evidence of each kind of TEE the bits stand that a self-test turns. */
import { parseNitroDocument, type TeeKind } from "@blindbox/attestation";
import { fromBase64url, fromUtf8, toBase64url, utf8 } from "@blindbox/encoding";

/** Changes some Evidence; `null` where it has no such place. */
export type Change = (evidence: Uint8Array) => Uint8Array | null;

/** What can be changed in the Evidence of one kind of TEE. */
export interface EvidenceParts {
  /** One bit of the signature over it. */
  readonly signature: Change;
  /** Whatever says that debugging is on. */
  readonly debug: Change;
  /** One bit of a certificate inside it; `null` where certificates come beside it. */
  readonly certificate: Change | null;
}

/** A copy with one bit turned; `null` where there is no such byte. */
export function flipped(bytes: Uint8Array, at: number, mask: number = 1): Uint8Array | null {
  const before = bytes.at(at);
  if (before === undefined) return null;
  const copy = bytes.slice();
  copy[at < 0 ? bytes.length + at : at] = before ^ mask;
  return copy;
}

const snpSignatureAt = 0x2a0;
const snpDebugAt = 0x08 + 2;
const snpDebugBit = 1 << 3;

const sevSnp: EvidenceParts = {
  signature: (bytes) => flipped(bytes, snpSignatureAt),
  debug: (bytes) => flipped(bytes, snpDebugAt, snpDebugBit),
  certificate: null,
};

const quoteHeaderLength = 48;
const descriptorLength = 6;
const attributesAt = 120;

/** Where the body of a quote begins: version 5 has a descriptor before it. */
function bodyOf(bytes: Uint8Array): number {
  return bytes[0] === 5 ? quoteHeaderLength + descriptorLength : quoteHeaderLength;
}

/** The body of TDX 1.5, which the descriptor of version 5 names, is 64 bytes longer. */
function signatureOf(bytes: Uint8Array): number {
  const is15 = bytes[0] === 5 && bytes[quoteHeaderLength] === 3;
  return bodyOf(bytes) + (is15 ? 648 : 584) + 4;
}

const tdx: EvidenceParts = {
  signature: (bytes) => flipped(bytes, signatureOf(bytes)),
  debug: (bytes) => flipped(bytes, bodyOf(bytes) + attributesAt),
  certificate: pemCertificate,
};

/** How far before its end a certificate is turned: in the middle of what its issuer's signature ends with. */
const beforeEnd = 24;

/** One character of the signature in the first block of PEM. */
function pemCertificate(bytes: Uint8Array): Uint8Array | null {
  const text = Buffer.from(bytes).toString("latin1");
  const end = text.indexOf("-----END CERTIFICATE-----");
  if (end === -1) return null;
  const turned = turnedCharacter(text.slice(0, end), end - beforeEnd);
  return turned === null ? null : new Uint8Array(Buffer.from(turned + text.slice(end), "latin1"));
}

/** One letter or digit from that place on turned into its neighbour, so that every encoding goes on as it was. */
export function turnedCharacter(text: string, from: number): string | null {
  const found = /[A-Ya-y0-8]/.exec(text.slice(from));
  if (found === null) return null;
  const at = from + found.index;
  return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) + 1) + text.slice(at + 1);
}

const nitro: EvidenceParts = {
  // The signature is the last of the four parts.
  signature: (bytes) => flipped(bytes, -1),
  debug: withZeroPcrs,
  certificate: (bytes) => {
    const { certificate } = parseNitroDocument(bytes);
    const at = Buffer.from(bytes).indexOf(certificate);
    return at === -1 ? null : flipped(bytes, at + certificate.length - 1);
  },
};

function withZeroPcrs(bytes: Uint8Array): Uint8Array | null {
  const { pcrs } = parseNitroDocument(bytes);
  const copy = Buffer.from(bytes);
  for (const index of [0, 1, 2]) {
    const pcr = pcrs.get(index);
    const at = pcr === undefined ? -1 : copy.indexOf(pcr);
    if (pcr === undefined || at === -1) return null;
    copy.fill(0, at, at + pcr.length);
  }
  return new Uint8Array(copy);
}

const simulated: EvidenceParts = {
  signature: (bytes) => flipped(bytes, -1),
  debug: (bytes) => flipped(bytes, 8),
  certificate: null,
};

const hclReportAt = 32;

/** Evidence of Azure is a document of parts; on SEV-SNP the report is in one, on TDX the quote is another. */
const azureVtpm: EvidenceParts = {
  signature: (bytes) => inMember(bytes, "signature", (part) => flipped(part, 0)),
  debug: (bytes) => inMember(bytes, "tdQuote", tdx.debug) ?? inMember(bytes, "hclReport", snpInHcl),
  certificate: (bytes) => inMember(bytes, "tdQuote", pemCertificate),
};

function snpInHcl(report: Uint8Array): Uint8Array | null {
  return flipped(report, hclReportAt + snpDebugAt, snpDebugBit);
}

function inMember(bytes: Uint8Array, name: string, change: Change): Uint8Array | null {
  const text = fromUtf8(bytes);
  const found = new RegExp(`"${name}":"([A-Za-z0-9_-]+)"`).exec(text);
  const before = found?.[1];
  if (before === undefined) return null;
  const after = change(fromBase64url(before));
  return after === null ? null : utf8(text.replace(before, toBase64url(after)));
}

/** By kind of TEE. */
export const evidenceParts: Readonly<Record<TeeKind, EvidenceParts>> = {
  "sev-snp": sevSnp,
  tdx,
  nitro,
  "azure-vtpm": azureVtpm,
  simulated,
};
