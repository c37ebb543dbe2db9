/** Chains, lists and answers as AMD, Intel and Azure make them, with keys of our own: an Endorser looks at form alone. */
import type { SevSnpSubject, TdxSubject } from "@blindbox/attestation/endorsers";
import { element, integer, name } from "../der.ts";
import {
  basicConstraints,
  base64url,
  caUsage,
  certificate,
  crl,
  curveKeys,
  extension,
  leafUsage,
  NOW,
  pem,
  type CrlSpec,
  type Identity,
} from "../vendor.ts";
import { body, type Answer } from "./surroundings.ts";

export const DAY = 86_400;

const keys = curveKeys("P-384");

function identity(
  commonName: string,
  issuer: Identity | null,
  extensions: readonly Uint8Array[],
  days = 365,
): Identity {
  const own = { subject: name(commonName), keys };
  const dates = { notBefore: NOW - days * DAY, notAfter: NOW + days * DAY };
  return { ...own, der: certificate({ ...own, issuer: issuer ?? own, extensions, ...dates }) };
}

function authority(commonName: string, issuer: Identity | null): Identity {
  return identity(commonName, issuer, [basicConstraints(true), caUsage]);
}

export function list(issuer: Identity, change: Partial<CrlSpec> = {}): Uint8Array {
  return crl({ issuer, thisUpdate: NOW - DAY, nextUpdate: NOW + 29 * DAY, ...change });
}

/* AMD */

const amd = "1.3.6.1.4.1.3704.1";

export const chipId = "d4".repeat(64);

export const milan: SevSnpSubject = {
  tee: "sev-snp",
  product: "milan",
  chipId,
  reportedTcb: "0301000000000873",
  key: "vcek",
};

export const milanVlek: SevSnpSubject = { ...milan, chipId: "00".repeat(64), key: "vlek" };

export interface EkSpec {
  readonly hwid: string | null;
  /** By the last arcs of the extension. */
  readonly spl: Readonly<Record<string, number>>;
  readonly issuer: Identity;
  /** Of validity, before and after {@link NOW}. */
  readonly days: number;
}

const ia5String = (text: string): Uint8Array => element(0x16, Buffer.from(text));

const spl = { "3.1": 3, "3.2": 1, "3.3": 8, "3.8": 0x73 };

export function ek(change: Partial<EkSpec> = {}): Uint8Array {
  const { hwid, spl: components, issuer, days } = { hwid: chipId, spl, issuer: ask, days: 365, ...change };
  const numbers = Object.entries(components).map(([arc, value]) => extension(`${amd}.${arc}`, false, integer(value)));
  const [commonName, bearer] =
    hwid === null
      ? ["SEV-VLEK", extension(`${amd}.5`, false, ia5String("CN=cc-test"))]
      : ["SEV-VCEK", extension(`${amd}.4`, false, Buffer.from(hwid, "hex"))];
  const form = [extension(`${amd}.1`, false, integer(0)), extension(`${amd}.2`, false, ia5String("Milan-B0"))];
  return identity(commonName, issuer, [leafUsage, ...form, ...numbers, bearer], days).der;
}

export const ark = authority("ARK-Milan", null);
export const ask = authority("SEV-Milan", ark);
/** The right name, and another issuer. */
export const strayAsk = authority("SEV-Milan", null);
export const asvk = authority("SEV-VLEK-Milan", ark);
export const arkGenoa = authority("ARK-Genoa", null);
export const askGenoa = authority("SEV-Genoa", arkGenoa);
export const vcek = ek();
export const vlek = ek({ hwid: null, issuer: asvk });
export const amdCrl = list(ark, { nextUpdate: NOW + 300 * DAY });

const kds = "https://kdsintf.amd.com";

export const milanUrls = {
  ek: `${kds}/vcek/v1/Milan/${chipId}?blSPL=3&teeSPL=1&snpSPL=8&ucodeSPL=115`,
  issuers: `${kds}/vcek/v1/Milan/cert_chain`,
  vlekIssuers: `${kds}/vlek/v1/Milan/cert_chain`,
  crls: `${kds}/vcek/v1/Milan/crl`,
} as const;

export const milanRoutes: Readonly<Record<string, readonly Answer[]>> = {
  [milanUrls.ek]: [body(vcek)],
  [milanUrls.issuers]: [body(pem(ask.der) + pem(ark.der))],
  [milanUrls.vlekIssuers]: [body(pem(asvk.der) + pem(ark.der))],
  [milanUrls.crls]: [body(amdCrl)],
};

export const milanEndorsements = {
  crls: [base64url(amdCrl)],
  ek: base64url(vcek),
  issuers: [base64url(ask.der), base64url(ark.der)],
  uvm: null,
};

export function thimAnswer(change: Readonly<Record<string, unknown>> = {}): Answer {
  const certificateChain = pem(ask.der) + pem(ark.der);
  const answer = { vcekCert: pem(vcek), tcbm: "7308000000000103", certificateChain, cacheControl: "86400" };
  return body(JSON.stringify({ ...answer, ...change }));
}

export const thimUrl = "http://169.254.169.254/metadata/THIM/amd/certification";

/* Intel */

export const platform: TdxSubject = { tee: "tdx", fmspc: "50806f000000", ca: "platform" };

export const sgxRoot = authority("Intel SGX Root CA", null);
export const tcbSigning = identity("Intel SGX TCB Signing", sgxRoot, [leafUsage]);
export const platformCa = authority("Intel SGX PCK Platform CA", sgxRoot);
export const processorCa = authority("Intel SGX PCK Processor CA", sgxRoot);

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(".000", "");

const dates = { issueDate: iso(NOW - DAY), nextUpdate: iso(NOW + 29 * DAY), tcbEvaluationDataNumber: 18 };

export function tcbInfoText(change: Readonly<Record<string, unknown>> = {}): string {
  const tcbInfo = { id: "TDX", version: 3, ...dates, fmspc: "50806F000000", pceId: "0000", tcbLevels: [], ...change };
  return JSON.stringify({ tcbInfo, signature: "ab".repeat(64) });
}

export function qeIdentityText(change: Readonly<Record<string, unknown>> = {}): string {
  const enclaveIdentity = { id: "TD_QE", version: 2, ...dates, mrsigner: "DC9E", tcbLevels: [], ...change };
  return JSON.stringify({ enclaveIdentity, signature: "cd".repeat(64) });
}

export const signingChain = pem(tcbSigning.der) + pem(sgxRoot.der);
export const pckCrlChain = pem(platformCa.der) + pem(sgxRoot.der);
export const pckCrl = list(platformCa);
export const rootCrl = list(sgxRoot, { nextUpdate: NOW + 300 * DAY });

const pcs = "https://api.trustedservices.intel.com";

export const intelUrls = {
  tcbInfo: `${pcs}/tdx/certification/v4/tcb?fmspc=50806f000000`,
  qeIdentity: `${pcs}/tdx/certification/v4/qe/identity`,
  pckCrl: `${pcs}/sgx/certification/v4/pckcrl?ca=platform&encoding=der`,
  rootCaCrl: "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der",
} as const;

export const intelRoutes: Readonly<Record<string, readonly Answer[]>> = {
  [intelUrls.tcbInfo]: [body(tcbInfoText(), { "TCB-Info-Issuer-Chain": encodeURIComponent(signingChain) })],
  [intelUrls.qeIdentity]: [
    body(qeIdentityText(), { "SGX-Enclave-Identity-Issuer-Chain": encodeURIComponent(signingChain) }),
  ],
  [intelUrls.pckCrl]: [body(pckCrl, { "SGX-PCK-CRL-Issuer-Chain": encodeURIComponent(pckCrlChain) })],
  [intelUrls.rootCaCrl]: [body(rootCrl)],
};

export const intelEndorsements = {
  pckCrl: base64url(pckCrl),
  pckCrlIssuerChain: pckCrlChain,
  qeIdentity: qeIdentityText(),
  qeIdentityIssuerChain: signingChain,
  rootCaCrl: base64url(rootCrl),
  tcbInfo: tcbInfoText(),
  tcbInfoIssuerChain: signingChain,
};

export const none = { ek: null, uvm: null };
