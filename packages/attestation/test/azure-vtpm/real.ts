/** The real machines of the shared vectors, with what endorses them, in the product's form. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { formatAzureEvidence, strictPolicy, type AppraisalPolicy, type Finding, type Tee } from "@blindbox/attestation";
import { EncodingError, fromHex, type JsonValue } from "@blindbox/encoding";
import { vectorsFolder } from "../../../../conformance/vectors.ts";
import { azureVtpm } from "../../src/azure-vtpm/tee.ts";
import { failureOf } from "../../src/evidence-error.ts";
import { sevSnp } from "../../src/sev-snp/tee.ts";
import { tdx } from "../../src/tdx/tee.ts";
import { base64url } from "../vendor.ts";

/** The parts of one document. */
export interface RealParts {
  readonly hclReport: Uint8Array;
  readonly quote: Uint8Array;
  readonly signature: Uint8Array;
  readonly pcrs: readonly (string | null)[];
  readonly tdQuote: Uint8Array | null;
}

export interface RealMachine {
  readonly name: string;
  readonly parts: RealParts;
  readonly endorsements: JsonValue;
  readonly now: number;
}

const machines = [
  ["snp-genoa", "2025-09-01", "genoa"],
  ["snp-milan-v1", "2025-06-06", "milan"],
  ["snp-milan-live", "2025-06-06", "milan"],
  ["tdx-v1", "2026-03-20", null],
] as const;

export function realMachines(): readonly RealMachine[] {
  const folder = vectorsFolder();
  if (folder === null) return [];
  return machines.map(([name, day, product]) => {
    const path = (part: string): string => join(folder, "azure", `${name}.${part}`);
    const read = (part: string): Uint8Array => new Uint8Array(readFileSync(path(part)));
    const root = (file: string): string => base64url(readFileSync(join(folder, "roots", `${file}.der`)));
    const issuers = [root(`ask-${product}`.replace("-null", "-milan")), root(`ark-${product ?? "milan"}`)];
    const snp = { crls: [], ek: product === null ? null : base64url(read("vcek.der")), issuers, uvm: null };
    return {
      name,
      parts: {
        hclReport: read("hcl.bin"),
        quote: read("quote-msg.bin"),
        signature: read("quote-sig.bin"),
        pcrs: JSON.parse(readFileSync(path("pcrs.json"), "utf8")) as string[],
        tdQuote: existsSync(path("td-quote.bin")) ? read("td-quote.bin") : null,
      },
      endorsements: { hardware: product === null ? nothingOfIntel : snp },
      now: Date.parse(day) / 1000,
    };
  });
}

const nothingOfIntel: JsonValue = {
  pckCrl: null,
  pckCrlIssuerChain: null,
  qeIdentity: null,
  qeIdentityIssuerChain: null,
  rootCaCrl: null,
  tcbInfo: null,
  tcbInfoIssuerChain: null,
};

/** The document, with some parts changed. */
export function documentOf({ parts }: RealMachine, change: Partial<RealParts> = {}): Uint8Array {
  const { hclReport, quote, signature, pcrs, tdQuote } = { ...parts, ...change };
  const bytes = pcrs.map((pcr) => (pcr === null ? null : fromHex(pcr)));
  return formatAzureEvidence({ hclReport, quote, signature, pcrs: bytes, tdQuote });
}

/** The vendors' own roots: no vector is of a fake. */
export const realTee: Tee = azureVtpm({ hardware: [sevSnp(), tdx()] });

/** What the machines fail of the product's own demands, since no CRL and no collateral of their day is at hand. */
const lacking = new Set(["crl-presence", "collateral-presence", "hardware-checks"]);

/** The strict one, but for what TDs of Azure do not set. */
const policy: AppraisalPolicy = { ...strictPolicy, tdx: { ...strictPolicy.tdx, septVeDisable: "any" } };

export async function findingsOf(machine: RealMachine, change: Partial<RealParts> = {}): Promise<readonly Finding[]> {
  const evidence = realTee.parseEvidence(documentOf(machine, change));
  const { findings } = await evidence.authenticate(machine.endorsements, policy, machine.now);
  return [...findings, ...evidence.appraisePlatform(policy)];
}

/** The code of the first failure, or `null` where nothing failed but what the vectors lack. */
export async function codeOf(machine: RealMachine, change: Partial<RealParts> = {}): Promise<string | null> {
  try {
    const findings = await findingsOf(machine, change);
    const failed = findings.find(({ status, check }) => status !== "passed" && !lacking.has(check));
    return failed === undefined ? null : (failed.code ?? `no code for ${failed.check}`);
  } catch (error) {
    if (error instanceof EncodingError) return failureOf(error);
    throw error;
  }
}
