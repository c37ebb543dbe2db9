/** Intel's Provisioning Certification Service, version 4: TCB info, QE identity and CRLs of a TDX machine. */
import { EncodingError, equalBytes, fromUtf8, jsonString, toBase64url } from "@blindbox/encoding";
import { mismatch } from "./endorser-error.ts";
import { commonNameOf } from "../x509/index.ts";
import type { Fragment } from "./cache.ts";
import { certificateDates, crlDates, crlOf, pemChainOf } from "./certificate-reading.ts";
import { readIntelText, type IntelText } from "./intel-text.ts";
import { DAILY, type Content, type Dated, type Part } from "./part.ts";
import type { TdxSubject } from "./subject.ts";
import { INTEL_CERTIFICATES, INTEL_PCS, type VendorAnswer } from "./vendor-fetch.ts";

/**
 * Which of Intel's TCB lists: `default` leaves it to Intel (today `standard`), `early` has what was published last, a number
 * names one list by its tcbEvaluationDataNumber.
 */
export type IntelUpdate = "default" | "standard" | "early" | number;

/** TCB info takes 3 to 10 KiB. */
const maxText = 256 * 1024;
/** Intel's PCK CRLs take some KiB; as much as a CRL may have at all. */
const maxCrl = 512 * 1024;
/** A chain of two takes 2,400 characters when it is URL-encoded. */
const maxHeader = 16 * 1024;

/** Address of the TCB info of a platform. */
export function tcbInfoUrl({ fmspc }: Pick<TdxSubject, "fmspc">, update: IntelUpdate): string {
  return `${INTEL_PCS}/tdx/certification/v4/tcb?fmspc=${fmspc}${updateParameter("&", update)}`;
}

/** Address of the identity of the TD quoting enclave. */
export function qeIdentityUrl(update: IntelUpdate): string {
  return `${INTEL_PCS}/tdx/certification/v4/qe/identity${updateParameter("?", update)}`;
}

/** Address of the CRL of one of the two CAs of PCK certificates. */
export function pckCrlUrl({ ca }: Pick<TdxSubject, "ca">): string {
  return `${INTEL_PCS}/sgx/certification/v4/pckcrl?ca=${ca}&encoding=der`;
}

/** Address of the CRL of Intel's root. */
export const INTEL_ROOT_CRL_URL: string = `${INTEL_CERTIFICATES}/IntelSGXRootCA.der`;

function updateParameter(before: string, update: IntelUpdate): string {
  if (update === "default") return "";
  return `${before}${typeof update === "number" ? "tcbEvaluationDataNumber" : "update"}=${update}`;
}

/** What Intel's Endorsements of one platform are made of. */
export function intelContents(subject: TdxSubject): readonly Content[] {
  return [tcbInfoContent(subject, null), qeIdentityContent(null), pckCrlContent(subject), rootCrlContent];
}

/** All of Intel's answers for one platform. */
export function intelParts(subject: TdxSubject, update: IntelUpdate): readonly Part[] {
  const number = typeof update === "number" ? update : null;
  return [
    textPart(tcbInfoContent(subject, number), tcbInfoUrl(subject, update), "TCB-Info-Issuer-Chain"),
    textPart(qeIdentityContent(number), qeIdentityUrl(update), "SGX-Enclave-Identity-Issuer-Chain"),
    pckCrlPart(subject),
    part(rootCrlContent, INTEL_ROOT_CRL_URL, maxCrl, ({ bytes }) => ({ rootCaCrl: toBase64url(bytes) })),
  ];
}

function pckCrlPart(subject: TdxSubject): Part {
  return part(pckCrlContent(subject), pckCrlUrl(subject), maxCrl, (answer) => ({
    pckCrl: toBase64url(answer.bytes),
    pckCrlIssuerChain: chainFromHeader(answer, "SGX-PCK-CRL-Issuer-Chain", "pckCrlIssuerChain"),
  }));
}

function textPart(content: Content, url: string, header: string): Part {
  const [text = "", chain = ""] = content.members;
  return part(content, url, maxText, (answer) => ({
    [text]: fromUtf8(answer.bytes, text),
    [chain]: chainFromHeader(answer, header, chain),
  }));
}

function part(content: Content, url: string, maxBytes: number, read: Part["read"]): Part {
  const request = { url, headers: {}, maxBytes, field: content.members[0] ?? "" };
  return { ...content, request, key: url, keepSeconds: DAILY, read };
}

/** Issuer chains come beside the body, as URL-encoded PEM. */
function chainFromHeader({ header }: VendorAnswer, name: string, field: string): string {
  const encoded = header(name);
  if (encoded === null) throw new EncodingError("bad-encoding", field, `a header ${name}`, "none");
  if (encoded.length > maxHeader) {
    throw new EncodingError("limit-exceeded", field, `at most ${maxHeader} characters`, `${encoded.length}`);
  }
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new EncodingError("bad-encoding", field, "URL-encoded PEM", "another encoding");
  }
}

function tcbInfoContent({ fmspc }: TdxSubject, number: number | null): Content {
  return {
    members: ["tcbInfo", "tcbInfoIssuerChain"],
    check: (fragment) => {
      const signed = readIntelText(jsonString(fragment["tcbInfo"], "tcbInfo"), "tcbInfo", "tcbInfo");
      demandKind(signed, "tcbInfo", "TDX", 3);
      const { fmspc: named } = signed.members;
      if (typeof named !== "string" || named.toLowerCase() !== fmspc) {
        throw mismatch("tcbInfo", `the TCB info of ${fmspc}`, "another platform's");
      }
      demandNumber(signed.dated, number);
      return [signed.dated, ...chainDates(fragment, "tcbInfoIssuerChain")];
    },
  };
}

function qeIdentityContent(number: number | null): Content {
  return {
    members: ["qeIdentity", "qeIdentityIssuerChain"],
    check: (fragment) => {
      const signed = readIntelText(jsonString(fragment["qeIdentity"], "qeIdentity"), "qeIdentity", "enclaveIdentity");
      demandKind(signed, "qeIdentity", "TD_QE", 2);
      demandNumber(signed.dated, number);
      return [signed.dated, ...chainDates(fragment, "qeIdentityIssuerChain")];
    },
  };
}

function pckCrlContent({ ca }: TdxSubject): Content {
  return {
    members: ["pckCrl", "pckCrlIssuerChain"],
    check: (fragment) => {
      const crl = crlOf(fragment["pckCrl"], "pckCrl");
      const [issuer] = pemChainOf(fragment["pckCrlIssuerChain"], "pckCrlIssuerChain", 2);
      demandIssuer(crl.issuer, "pckCrl", `Intel SGX PCK ${ca === "platform" ? "Platform" : "Processor"} CA`);
      if (issuer === undefined || !equalBytes(issuer.subject, crl.issuer)) {
        throw mismatch("pckCrlIssuerChain", "the chain of the CRL's issuer", "another chain");
      }
      return [crlDates("pckCrl", crl), ...chainDates(fragment, "pckCrlIssuerChain")];
    },
  };
}

const rootCrlContent: Content = {
  members: ["rootCaCrl"],
  check: ({ rootCaCrl }) => {
    const crl = crlOf(rootCaCrl, "rootCaCrl");
    demandIssuer(crl.issuer, "rootCaCrl", "Intel SGX Root CA");
    return [crlDates("rootCaCrl", crl)];
  },
};

function chainDates(fragment: Fragment, member: string): readonly Dated[] {
  const chain = pemChainOf(fragment[member], member, 2);
  return chain.map((certificate, at) => certificateDates(`${member}[${at}]`, certificate));
}

function demandKind({ members }: IntelText, field: string, id: string, version: number): void {
  if (members["id"] === id && members["version"] === version) return;
  throw mismatch(field, `id ${id}, version ${version}`, "another kind");
}

function demandNumber({ name, number }: Dated, expected: number | null): void {
  if (expected === null || number === expected) return;
  throw mismatch(name, `tcbEvaluationDataNumber ${expected}`, `${number ?? "none"}`);
}

function demandIssuer(name: Uint8Array, field: string, expected: string): void {
  if (commonNameOf(name) === expected) return;
  throw mismatch(field, `a CRL of ${expected}`, "another issuer's");
}
