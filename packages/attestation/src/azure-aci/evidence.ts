/**
 * Parse: the endorsement of a utility VM (`reference-info-base64` in a container's security context, a COSE_Sign1 of
 * Microsoft's) to a typed record. No trust.
 */
import {
  cborArray,
  cborBytes,
  cborInteger,
  CborTagged,
  cborText,
  EncodingError,
  type CborMap,
  type CborValue,
} from "@blindbox/encoding";
import { parseCoseSign1, ps384, type CoseRules } from "../cose/sign1.ts";
import { readAs } from "../evidence-error.ts";
import { parseCertificate, type Certificate } from "../x509/index.ts";
import { purposesOf } from "./purposes.ts";
import { readReferenceInfo, type ReferenceInfo } from "./reference-info.ts";

/** A certificate of the chain, with its bytes. */
export interface ChainCertificate {
  readonly certificate: Certificate;
  readonly der: Uint8Array;
}

/** An endorsement as it stands. */
export interface UvmEndorsement extends ReferenceInfo {
  /** did:x509, 1 to 256 visible ASCII characters. */
  readonly issuer: string;
  /** What is endorsed, for example `ContainerPlat-AMD-UVM`: 1 to 256 visible ASCII characters. */
  readonly feed: string;
  /** When it was signed, by its signer's own word, in seconds since 1970. */
  readonly signingTime: number;
  readonly leaf: ChainCertificate;
  /** The leaf's issuer first. */
  readonly intermediates: readonly ChainCertificate[];
  readonly root: ChainCertificate;
  /** Object identifiers of what the leaf's certificate is for. */
  readonly purposes: readonly string[];
  /** SHA-256 of the leaf's certificate, as the header has it; `null` where it does not. */
  readonly thumbprint: Uint8Array | null;
  /** The bytes that were signed. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

/** Parameters of COSE's header (RFC 9052, 3.1; RFC 9360, 2). */
const label = { contentType: 3, x5chain: 33, x5t: 34 } as const;

/** Epoch time (RFC 8949, 3.4.2). */
const timeTag = 1;

const rules: CoseRules = {
  algorithm: ps384,
  // Real ones take 11 KiB, half of it a time stamp of a third party's.
  maxBytes: 64 * 1024,
  protectedKeys: [label.contentType, label.x5chain, label.x5t, "iss", "feed", "signingtime"],
  protectedTags: [timeTag],
  // The time stamp: nobody signed that it belongs here, and nothing is derived from it.
  unprotectedKeys: ["timestamp"],
};

/**
 * Reads an endorsement. Checks its form only: neither chain nor signature is verified here.
 *
 * @throws EvidenceError `unsupported-algorithm` for another than PS384, `bad-certificate` for what is no certificate;
 * EncodingError for whatever else is not of this form, unknown parameters too.
 */
export function parseUvmEndorsement(bytes: Uint8Array): UvmEndorsement {
  const { header, payload, signed, signature } = parseCoseSign1(bytes, rules, "uvm");
  expectJson(header.get(label.contentType));
  return {
    issuer: readName(header.get("iss"), "uvm.iss"),
    feed: readName(header.get("feed"), "uvm.feed"),
    signingTime: readTime(header.get("signingtime")),
    thumbprint: readThumbprint(header),
    ...readChain(header.get(label.x5chain)),
    ...readReferenceInfo(payload),
    signed,
    signature,
  };
}

function expectJson(value: CborValue | undefined): void {
  const type = cborText(value, "uvm.contentType", { min: 1, max: 256 });
  if (type === "application/json") return;
  throw new EncodingError("bad-encoding", "uvm.contentType", "application/json", "another type");
}

function readName(value: CborValue | undefined, path: string): string {
  const text = cborText(value, path, { min: 1, max: 256 });
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new EncodingError("bad-encoding", path, "visible ASCII", "other characters");
}

function readTime(value: CborValue | undefined): number {
  const time = value instanceof CborTagged ? value.value : undefined;
  return cborInteger(time, "uvm.signingtime", { min: 0, max: latest });
}

/** The year 9999: the last that X.509 can name. */
const latest = 253_402_300_799;

/** COSE's number for SHA-256 (RFC 9054, 2.1). */
const sha256 = -16;

function readThumbprint(header: CborMap): Uint8Array | null {
  if (!header.has(label.x5t)) return null;
  const [algorithm, hash] = cborArray(header.get(label.x5t), "uvm.x5t", { min: 2, max: 2 });
  cborInteger(algorithm, "uvm.x5t", { min: sha256, max: sha256 });
  return cborBytes(hash, "uvm.x5t", { min: 32, max: 32 });
}

/** Leaf and root at least; Microsoft's chains have 3. */
const chainLength = { min: 2, max: 5 };

/** Longest certificate: with RSA keys of 4096 bits those of the chain take 1,700 bytes. */
const certificateLength = { min: 1, max: 4096 };

type Chain = Pick<UvmEndorsement, "leaf" | "intermediates" | "root" | "purposes">;

function readChain(value: CborValue | undefined): Chain {
  const chain = cborArray(value, "uvm.x5chain", chainLength).map((item, at) =>
    readCertificate(item, `uvm.x5chain[${at}]`),
  );
  const [leaf, root] = [chain.at(0), chain.at(-1)];
  if (leaf === undefined || root === undefined) throw new TypeError("a chain has two certificates at least");
  return { leaf, intermediates: chain.slice(1, -1), root, purposes: purposesOf(leaf.certificate) };
}

function readCertificate(value: CborValue, path: string): ChainCertificate {
  const der = cborBytes(value, path, certificateLength);
  return { der, certificate: readAs("bad-certificate", () => parseCertificate(der, path)) };
}
