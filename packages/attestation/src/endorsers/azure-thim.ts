/** Azure's cache of AMD's certificates (THIM), asked by the machine itself: VCEK and chain in one answer. */
import { EncodingError, fromHex, fromUtf8, jsonString, parsePem, toBase64url, toHex, utf8 } from "@blindbox/encoding";
import type { JsonValue } from "@blindbox/encoding";
import { amdChainUrl, ekContent, issuersContent, vcekUrl } from "./amd-kds.ts";
import { mismatch } from "./endorser-error.ts";
import { pemToBase64url } from "./certificate-reading.ts";
import { MONTHLY, type Content, type Part } from "./part.ts";
import type { SevSnpSubject } from "./subject.ts";
import { AZURE_IMDS, type VendorAnswer } from "./vendor-fetch.ts";

/** Address of the certificates of the machine that asks. */
export const AZURE_THIM_URL: string = `${AZURE_IMDS}/metadata/THIM/amd/certification`;

/** Three certificates in PEM take 7 KiB. */
const maxAnswer = 64 * 1024;

/**
 * `ek` and `issuers` by THIM, kept under the names that they have at KDS: they are the same certificates. It answers for the
 * machine that asks, with both at once; it is near, so it is asked twice.
 */
export function thimParts(subject: SevSnpSubject): readonly Part[] {
  return [
    thimPart(ekContent(subject), vcekUrl(subject), (answer) => ({ ek: readThim(answer, subject).ek })),
    thimPart(issuersContent(subject), amdChainUrl(subject), (answer) => ({
      issuers: readThim(answer, subject).issuers,
    })),
  ];
}

function thimPart(content: Content, key: string, read: Part["read"]): Part {
  const field = content.members[0] ?? "";
  const request = { url: AZURE_THIM_URL, headers: { Metadata: "true" }, maxBytes: maxAnswer, field };
  return { ...content, request, key, keepSeconds: MONTHLY, read };
}

interface ThimCertificates {
  readonly ek: string;
  readonly issuers: readonly string[];
}

// Members beside these three come and go: `cacheControl` is one.
function readThim({ bytes }: VendorAnswer, { reportedTcb }: SevSnpSubject): ThimCertificates {
  const members = parseObject(fromUtf8(bytes, "thim"));
  // The same 8 bytes as one number, so in the other order.
  const tcbm = toHex(fromHex(reportedTcb, "reportedTcb").toReversed());
  if (jsonString(members["tcbm"], "tcbm").toLowerCase() !== tcbm) {
    throw mismatch("ek", "certificates of the reported TCB", "of another TCB");
  }
  const [ek, ...others] = parsePem(jsonString(members["vcekCert"], "vcekCert"), "CERTIFICATE", "vcekCert");
  if (ek === undefined || others.length > 0) {
    throw new EncodingError("bad-encoding", "vcekCert", "one certificate", `${others.length + 1}`);
  }
  const chain = jsonString(members["certificateChain"], "certificateChain");
  return { ek: toBase64url(ek), issuers: pemToBase64url(utf8(chain), "certificateChain") };
}

function parseObject(text: string): Readonly<Record<string, JsonValue>> {
  try {
    const value = JSON.parse(text) as JsonValue;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Readonly<Record<string, JsonValue>>;
    }
  } catch {
    // Said below.
  }
  throw new EncodingError("bad-encoding", "thim", "a JSON object", "something else");
}
