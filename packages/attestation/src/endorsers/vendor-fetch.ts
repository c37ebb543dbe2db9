/** One GET of one vendor: to a fixed host, with no redirect followed, and read up to a limit. */
import { concatBytes, EncodingError } from "@blindbox/encoding";
import { EndorserError } from "./endorser-error.ts";

/** AMD's Key Distribution Service. */
export const AMD_KDS = "https://kdsintf.amd.com";
/** Intel's Provisioning Certification Service. */
export const INTEL_PCS = "https://api.trustedservices.intel.com";
/** Where Intel publishes the CRL of its root. */
export const INTEL_CERTIFICATES = "https://certificates.trustedservices.intel.com";
/** The metadata service of an Azure machine: link-local, so there is no TLS to be had. */
export const AZURE_IMDS = "http://169.254.169.254";

/** The only places that are ever asked. */
const origins: readonly string[] = [AMD_KDS, INTEL_PCS, INTEL_CERTIFICATES, AZURE_IMDS];

/** The part of the web's `fetch` that is used: whatever has this shape may be passed. It decides about proxies. */
export type VendorFetch = (
  url: string,
  init: {
    readonly method: "GET";
    readonly redirect: "manual";
    readonly headers: Record<string, string>;
    readonly signal: AbortSignal;
  },
) => Promise<VendorResponse>;

/** The part of the web's `Response` that is used. */
export interface VendorResponse {
  readonly status: number;
  readonly redirected: boolean;
  /** Names of headers are compared without regard to case. */
  readonly headers: { get(name: string): string | null };
  readonly body: { getReader(): VendorBodyReader } | null;
}

/** The part of a stream's reader that is used. */
export interface VendorBodyReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
}

/** What is asked of whom. */
export interface VendorRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Longest body that is read. */
  readonly maxBytes: number;
  /** The member of the Endorsements that this is for: names it in errors. */
  readonly field: string;
}

/** A whole answer. */
export interface VendorAnswer {
  readonly status: number;
  readonly bytes: Uint8Array;
  readonly header: (name: string) => string | null;
}

/** A status that brings a body worth reading. */
export const STATUS_OK = 200;

/**
 * Asks once. A body is read only of a 200; `signal` ends reading as well.
 *
 * @throws EndorserError `redirected`, `too-large` or `malformed`. Whatever `fetch` throws passes through.
 */
export async function askOnce(fetch: VendorFetch, request: VendorRequest, signal: AbortSignal): Promise<VendorAnswer> {
  const { url, headers } = request;
  const response = await fetch(url, { method: "GET", redirect: "manual", headers: { ...headers }, signal });
  demandDirect(response, request);
  const header = (name: string): string | null => response.headers.get(name);
  const reader = response.body?.getReader();
  if (reader === undefined) return { status: response.status, bytes: new Uint8Array(), header };
  if (response.status === STATUS_OK) return { status: response.status, bytes: await readBody(reader, request), header };
  discard(reader);
  return { status: response.status, bytes: new Uint8Array(), header };
}

/**
 * The URLs are made in this folder, of constants; this keeps it so, whoever adds one.
 *
 * @throws TypeError for any other place.
 */
export function demandVendor({ url, field }: VendorRequest): void {
  const { origin, username, password, hash } = new URL(url);
  if (origins.includes(origin) && username === "" && password === "" && hash === "") return;
  throw new TypeError(`${field}: expected a URL of one of the vendors' hosts`);
}

// Browsers show a redirect that is not followed as status 0. `redirected`: a `fetch` that follows all the same.
function demandDirect({ status, redirected }: VendorResponse, { field }: VendorRequest): void {
  if (!redirected && status !== 0 && (status < 300 || status > 399)) return;
  const actual = redirected ? "an answer from elsewhere" : `status ${status}`;
  throw new EndorserError({ code: "redirected", field, expected: "the vendor's own answer", actual });
}

// What is left of an answer that is not wanted: whether the peer goes along is of no interest.
function discard(reader: VendorBodyReader): void {
  reader.cancel().catch(() => undefined);
}

async function readBody(reader: VendorBodyReader, { maxBytes, field }: VendorRequest): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concatBytes(...chunks);
    if (value === undefined) continue;
    length += value.length;
    if (length > maxBytes) break;
    chunks.push(value);
  }
  discard(reader);
  throw new EndorserError({ code: "too-large", field, expected: `at most ${maxBytes} bytes`, actual: "more" });
}

/** Runs `read` on what a vendor answered; what a parser refuses becomes an EndorserError that names the part. */
export function readAnswer<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    const expected = `${error.field}: ${error.expected}`;
    throw new EndorserError({ code: "malformed", field, expected, actual: error.actual });
  }
}
