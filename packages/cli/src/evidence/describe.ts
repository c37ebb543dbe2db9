/** From bytes in any of the known forms to what `blindbox inspect` shows of them. */
import { EncodingError } from "@blindbox/encoding";
import { parseBundle } from "../exchange/bundle.ts";
import type { Inspection } from "./inspection.ts";
import { isObject, jsonWithin, parseJson } from "./json-text.ts";
import { recognizeEncoded, type EncodedEvidence } from "./recognize-encoded.ts";
import { recognizeEvidence, type RecognizedEvidence } from "./recognize.ts";
import { isText } from "./text-encodings.ts";
import { inspectAzure } from "./words/azure.ts";
import { inspectBundle } from "./words/bundle.ts";
import { inspectCertificate, pemCertificatesIn } from "./words/certificate.ts";
import { inspectDocument } from "./words/document.ts";
import { inspectNitroDocument } from "./words/nitro.ts";
import { inspectSevSnpReport } from "./words/sev-snp.ts";
import { inspectSimulatedReport } from "./words/simulated.ts";
import { inspectTdQuote } from "./words/tdx.ts";
import { inspectTpmQuote } from "./words/tpm.ts";

/** What some bytes are, and how they had to be read for that. */
export interface Description {
  readonly encoding: EncodedEvidence["encoding"];
  readonly inspection: Inspection;
}

/** The forms that are tried, for whoever has another. */
export const knownForms: string =
  "an Evidence document, a bundle, an SEV-SNP report, a TD quote, a Nitro document, an HCL report, Azure's JSON, a TPM quote, " +
  "a simulated report, a certificate; each raw, or in hex, base64, base64url or PEM";

/** What the bytes are where that is known, and no kind of Evidence that BlindBox reads; `null` where it is not. */
export function knownStranger(bytes: Uint8Array): string | null {
  const [version, , , , a, b, c, d] = bytes;
  const isSgx = (version === 3 || version === 4) && bytes[1] === 0 && [a, b, c, d].every((byte) => byte === 0);
  if (isSgx && bytes.length > 432) return "the quote of an SGX enclave, which is no TEE that a box runs in";
  const isToken = /^eyJ[\w-]+\.[\w-]+\.[\w-]*\s*$/.test(Buffer.from(bytes.subarray(0, 65_536)).toString("latin1"));
  return isToken ? "a token of an attestation service: its word, and no Evidence" : null;
}

/**
 * Reads bytes as whatever they are.
 *
 * @throws EncodingError where they begin as one of the known forms and do not go on as it.
 * @returns null where they are none of them.
 */
export function describe(bytes: Uint8Array): Description | null {
  return describeBundle(bytes) ?? describeEvidence(bytes) ?? describeCertificates(bytes);
}

function describeBundle(given: Uint8Array): Description | null {
  const bytes = jsonWithin(given);
  if (bytes[0] !== 0x7b) return null;
  const members = parseJson(bytes);
  if (!isObject(members) || members["type"] !== "blindbox-bundle/1") return null;
  const bundle = parseBundle(new TextDecoder().decode(bytes));
  const { document } = bundle.exchange;
  const inner = recognizeEvidence(typeof document === "string" ? new TextEncoder().encode(document) : document);
  return { encoding: "JSON", inspection: inspectBundle(bundle, inner === null ? [] : [inspectionOf(inner)]) };
}

function describeEvidence(bytes: Uint8Array): Description | null {
  const found = recognizeEncoded(bytes);
  return found === null ? null : { encoding: found.encoding, inspection: inspectionOf(found.evidence) };
}

/** Several blocks of PEM, or one among other text. */
function describeCertificates(bytes: Uint8Array): Description | null {
  const certificates = isText(bytes) ? pemCertificatesIn(bytes) : [];
  return certificates.length === 0 ? null : { encoding: "PEM", inspection: chainOf(certificates) };
}

function chainOf(certificates: readonly Uint8Array[]): Inspection {
  const [first, ...others] = certificates.map(inspectCertificate);
  if (first === undefined) throw new EncodingError("bad-encoding", "pem", "a certificate", "none");
  return others.length === 0
    ? first
    : { kind: "certificates", title: `${certificates.length} certificates`, sections: [], inside: [first, ...others] };
}

function inspectionOf(evidence: RecognizedEvidence): Inspection {
  switch (evidence.form) {
    case "sev-snp-report":
      return inspectSevSnpReport(evidence.bytes);
    case "td-quote":
      return inspectTdQuote(evidence.bytes);
    case "nitro-document":
      return inspectNitroDocument(evidence.bytes);
    case "simulated-report":
      return inspectSimulatedReport(evidence.bytes);
    case "tpm-quote":
      return inspectTpmQuote(evidence.bytes, []);
    case "certificate":
      return inspectCertificate(evidence.bytes);
    case "azure-hcl":
      return inspectAzure(evidence);
    case "evidence-document":
      return inspectDocument(evidence.document, evidence.evidence === null ? [] : [inspectionOf(evidence.evidence)]);
  }
}
