/** Whose Endorsements: the facts of a machine that its vendor wants to know. Nothing of them is trusted or secret. */
import { EncodingError, fromHex, jsonObject, jsonString, type JsonValue } from "@blindbox/encoding";
import type { AmdProduct } from "../sev-snp/products.ts";

/** An SEV-SNP machine, as its report says. */
export interface SevSnpSubject {
  readonly tee: "sev-snp";
  readonly product: AmdProduct;
  /** The report's 64 bytes in lower-case hex; all zero where the chip hides its identity, or the key is a VLEK. */
  readonly chipId: string;
  /** The report's 8 bytes in lower-case hex, in the report's order. */
  readonly reportedTcb: string;
  /** Which kind of key signed the report. */
  readonly key: "vcek" | "vlek";
}

/** A TDX machine, as the PCK certificate in its quote says. */
export interface TdxSubject {
  readonly tee: "tdx";
  /** 6 bytes in lower-case hex. */
  readonly fmspc: string;
  /** Which of Intel's two CAs issued the PCK certificate. */
  readonly ca: "platform" | "processor";
}

/** A Nitro enclave: its Evidence carries its certificates, and its vendor publishes no CRL. */
export interface NitroSubject {
  readonly tee: "nitro";
}

/** One of the kinds of machine that a vendor has Endorsements for. Below a virtual TPM of Azure it is the hardware. */
export type EndorsementSubject = SevSnpSubject | TdxSubject | NitroSubject;

const products: readonly AmdProduct[] = ["milan", "genoa", "turin"];
const keys: readonly SevSnpSubject["key"][] = ["vcek", "vlek"];
const authorities: readonly TdxSubject["ca"][] = ["platform", "processor"];

/**
 * Reads a subject: exactly the members of its kind.
 *
 * @throws EncodingError for anything else.
 */
export function parseSubject(value: JsonValue | undefined, path: string): EndorsementSubject {
  const tee = oneOf(teeOf(value), `${path}.tee`, ["sev-snp", "tdx", "nitro"] as const);
  if (tee === "nitro") return readNitro(value, path);
  return tee === "tdx" ? readTdx(value, path) : readSevSnp(value, path);
}

function readSevSnp(value: JsonValue | undefined, path: string): SevSnpSubject {
  const members = jsonObject(value, path, ["tee", "product", "chipId", "reportedTcb", "key"]);
  return {
    tee: "sev-snp",
    product: oneOf(members.product, `${path}.product`, products),
    chipId: hexOf(members.chipId, `${path}.chipId`, 64),
    reportedTcb: hexOf(members.reportedTcb, `${path}.reportedTcb`, 8),
    key: oneOf(members.key, `${path}.key`, keys),
  };
}

function readTdx(value: JsonValue | undefined, path: string): TdxSubject {
  const members = jsonObject(value, path, ["tee", "fmspc", "ca"]);
  return {
    tee: "tdx",
    fmspc: hexOf(members.fmspc, `${path}.fmspc`, 6),
    ca: oneOf(members.ca, `${path}.ca`, authorities),
  };
}

function readNitro(value: JsonValue | undefined, path: string): NitroSubject {
  jsonObject(value, path, ["tee"]);
  return { tee: "nitro" };
}

// Decides which members are due; the reader of that kind then refuses all others.
function teeOf(value: JsonValue | undefined): JsonValue | undefined {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, JsonValue>>)["tee"] : undefined;
}

function oneOf<T extends string>(value: JsonValue | undefined, path: string, allowed: readonly T[]): T {
  const text = jsonString(value, path);
  const found = allowed.find((each) => each === text);
  if (found !== undefined) return found;
  throw new EncodingError("bad-encoding", path, allowed.join(" or "), "another word");
}

function hexOf(value: JsonValue | undefined, path: string, length: number): string {
  const text = jsonString(value, path);
  const bytes = fromHex(text, path);
  if (bytes.length === length) return text;
  throw new EncodingError("bad-encoding", path, `${length} bytes in hex`, `${bytes.length} bytes`);
}
