/** A fake Azure above the fake AMD and the fake Intel: mints whole Evidence, right or with one thing wrong. */
import { constants, createHash, sign, type KeyObject } from "node:crypto";
import { MICROSOFT_ID_KEYS, type Tee } from "@blindbox/attestation";
import type { JsonValue } from "@blindbox/encoding";
import { rsaPair } from "../rsa.ts";
import { fakeTee as fakeSevSnp } from "../sev-snp/appraise.ts";
import { mintEvidence as mintAmd, type AmdChange } from "../sev-snp/vendor.ts";
import { fakeTee as fakeTdx } from "../tdx/appraise.ts";
import { rightBody } from "../tdx/quote.ts";
import { mintEvidence as mintIntel, type IntelChange } from "../tdx/vendor.ts";
import { base64url } from "../vendor.ts";
import { azureVtpm } from "../../src/azure-vtpm/tee.ts";
import { hclReport, tdReport, type HclChange, type TdReportFields } from "./hcl.ts";
import { quoteBytes, rightPcrs, type QuoteChange } from "./tpm.ts";

export const ak = rsaPair();
export const ek = rsaPair();

/** The members of a JWK. */
export interface Jwk {
  readonly kid?: unknown;
  readonly key_ops?: unknown;
  readonly kty?: unknown;
  readonly e?: unknown;
  readonly n?: unknown;
}

export function jwkOf({ spki }: { readonly spki: Uint8Array }, kid: string, operation: string): Jwk {
  return { kid, key_ops: [operation], kty: "RSA", e: "AQAB", n: Buffer.from(modulusOf(spki)).toString("base64url") };
}

/** What stands between its tag and the exponent: all keys here have 2048 bits. */
export function modulusOf(spki: Uint8Array): Uint8Array {
  return spki.subarray(spki.length - 5 - 256, spki.length - 5);
}

export interface RuntimeDataText {
  readonly keys: readonly Jwk[];
  readonly "vm-configuration": Readonly<Record<string, unknown>>;
  readonly "user-data": string;
}

export const rightRuntimeData: RuntimeDataText = {
  keys: [jwkOf(ak, "HCLAkPub", "sign"), jwkOf(ek, "HCLEkPub", "encrypt")],
  "vm-configuration": {
    "console-enabled": true,
    "secure-boot": true,
    "tpm-enabled": true,
    vmUniqueId: "390CBCF5-6C67-4D9B-98EF-C3F1699CC8FC",
  },
  "user-data": "AB".repeat(64),
};

/** What to mint differently; everything else is right. */
export interface AzureChange extends HclChange, QuoteChange {
  /** `snp` unless said otherwise. */
  readonly on?: "snp" | "tdx";
  readonly amd?: AmdChange;
  readonly intel?: IntelChange;
  readonly tdReport?: Partial<TdReportFields>;
  readonly runtimeData?: (right: RuntimeDataText) => unknown;
  /** Changes the text before it is hashed. */
  readonly runtimeDataText?: (text: string) => string;
  /** What is put in the HCL report in the place of the text that was hashed. */
  readonly otherRuntimeData?: (hashed: Uint8Array) => Uint8Array;
  /** Which hash the hardware signed. */
  readonly hash?: "sha256" | "sha384" | "sha512";
  readonly reportData?: (right: Uint8Array) => Uint8Array;
  readonly signer?: KeyObject;
  readonly signature?: (right: Uint8Array, quote: Uint8Array) => Uint8Array;
  /** Changes the quote after it was signed. */
  readonly quote?: (right: Uint8Array) => Uint8Array;
  readonly pcrs?: (right: readonly (string | null)[]) => unknown;
  readonly tdQuote?: (right: Uint8Array) => Uint8Array | null;
  /** Changes the members of the document. */
  readonly document?: (right: AzureDocument) => object;
  readonly bytes?: (right: Uint8Array) => Uint8Array;
  readonly endorsements?: (right: { readonly hardware: JsonValue }) => unknown;
}

/** In the order of canonical JSON. */
export interface AzureDocument {
  readonly hclReport: string;
  readonly pcrs: unknown;
  readonly quote: string;
  readonly signature: string;
  readonly tdQuote: string | null;
  readonly type: string;
}

const same = <T>(right: T): T => right;

export function mintEvidence(change: AzureChange = {}): { bytes: Uint8Array; endorsements: JsonValue } {
  const runtimeData = runtimeDataOf(change);
  const hardware = change.on === "tdx" ? onTdx(change, runtimeData) : onSnp(change, runtimeData);
  const carried = (change.otherRuntimeData ?? same)(runtimeData);
  const unsigned = quoteBytes(change);
  const signature = sign("sha256", unsigned, {
    key: change.signer ?? ak.privateKey,
    padding: constants.RSA_PKCS1_PADDING,
  });
  const quote = (change.quote ?? same)(unsigned);
  const right: AzureDocument = {
    hclReport: base64url(hclReport(hardware.report, carried, change)),
    pcrs: (change.pcrs ?? same)(rightPcrs.map((pcr) => Buffer.from(pcr).toString("hex"))),
    quote: base64url(quote),
    signature: base64url((change.signature ?? same)(new Uint8Array(signature), unsigned)),
    tdQuote: hardware.quote === null ? null : base64url(hardware.quote),
    type: "blindbox-azure-vtpm/1",
  };
  const document = (change.document ?? same)(right);
  return {
    bytes: (change.bytes ?? same)(new Uint8Array(Buffer.from(JSON.stringify(document)))),
    endorsements: (change.endorsements ?? same)({ hardware: hardware.endorsements }) as JsonValue,
  };
}

function runtimeDataOf(change: AzureChange): Uint8Array {
  const text = JSON.stringify((change.runtimeData ?? same)(rightRuntimeData));
  return new Uint8Array(Buffer.from((change.runtimeDataText ?? same)(text)));
}

function reportDataOf({ hash = "sha256", reportData = same }: AzureChange, runtimeData: Uint8Array): Uint8Array {
  const right = new Uint8Array(64);
  right.set(createHash(hash).update(runtimeData).digest());
  return reportData(right);
}

interface Hardware {
  readonly report: Uint8Array;
  readonly quote: Uint8Array | null;
  readonly endorsements: JsonValue;
}

export const PARAVISOR = {
  idKeyDigest: new Uint8Array(Buffer.from(MICROSOFT_ID_KEYS[1] ?? "", "hex")),
  guestSvn: 0x1000b,
};

function onSnp(change: AzureChange, runtimeData: Uint8Array): Hardware {
  const report = { ...PARAVISOR, reportData: reportDataOf(change, runtimeData), ...change.amd?.report };
  const { bytes, endorsements } = mintAmd({ ...change.amd, report });
  const quote = (change.tdQuote ?? same<Uint8Array | null>)(null as never);
  return { report: bytes, quote, endorsements };
}

function onTdx(change: AzureChange, runtimeData: Uint8Array): Hardware {
  const reportData = reportDataOf(change, runtimeData);
  const { bytes, endorsements } = mintIntel({ ...change.intel, body: { reportData, ...change.intel?.body } });
  const fields: TdReportFields = {
    type: Uint8Array.of(0x81, 0, 0, 0),
    reserved: new Uint8Array(12),
    cpuSvn: new Uint8Array(16).fill(6),
    tcbInfoHash: null,
    tdInfoHash: null,
    ...rightBody,
    reportData,
    reservedBehind: new Uint8Array(32),
    mac: new Uint8Array(32).fill(0x6d),
    valid: Uint8Array.of(0xff, 1, 3, 0, 0, 0, 0, 0),
    tcbInfoReserved: new Uint8Array(95),
    between: new Uint8Array(17),
    tdInfoReserved: new Uint8Array(64),
    ...change.tdReport,
  };
  return { report: tdReport(fields), quote: (change.tdQuote ?? paddedAsByAzure)(bytes), endorsements };
}

/** The metadata service hands quotes out in a longer buffer. */
function paddedAsByAzure(quote: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([quote, Buffer.alloc(70)]));
}

let shared: Tee | null = null;

/** One TEE for all, under the fake AMD's and the fake Intel's roots. */
export function fakeTee(): Tee {
  shared ??= azureVtpm({ hardware: [fakeSevSnp(), fakeTdx] });
  return shared;
}
