/** What the Evidence says, by name: the registers of a tuple, and every field. */
import { toHex, type JsonValue } from "@blindbox/encoding";
import type { Tee, TupleShape } from "../tee.ts";
import type { AzureEvidence, HclEvidence, QuoteEvidence } from "./evidence.ts";
import { PCR_COUNT } from "./tpm-quote.ts";

const pcrShape: TupleShape = Object.fromEntries(Array.from({ length: PCR_COUNT }, (_, number) => [`pcr${number}`, 32]));

/** On SEV-SNP, one very paravisor: its measurement, and how it was launched. */
const exactOnSnp: TupleShape = { measurement: 48, hostData: 32, policy: 8, vmpl: 4, idKeyDigest: 48, ...pcrShape };

/** On SEV-SNP, every paravisor of one signer's line from a security version on. */
const signedOnSnp: TupleShape = {
  idKeyDigest: 48,
  familyId: 16,
  imageId: 16,
  guestSvn: "at-least",
  hostData: 32,
  policy: 8,
  vmpl: 4,
  ...pcrShape,
};

/** The shapes of tuples on one kind of hardware. A TD names no signer, so on TDX it is one very paravisor, as TDX says it. */
export function tuplesOn({ kind, tuples }: Tee): readonly TupleShape[] {
  if (kind === "sev-snp") return [exactOnSnp, signedOnSnp];
  return tuples.map((shape) => ({ ...shape, ...pcrShape }));
}

/** The hardware's registers, who signed the paravisor, and the PCRs that were quoted: no other PCR is known. */
export function registersOf({ hcl: { hardware }, quoted }: AzureEvidence): Readonly<Record<string, string>> {
  const pcrs = [...quoted.pcrs].map(([number, pcr]) => [`pcr${number}`, toHex(pcr)]);
  return { ...hardware.registers, ...signerRegisters(hardware.facts), ...Object.fromEntries(pcrs) };
}

/** Without a signer the launch has no name or version either: nobody vouches for what stands in their place. */
function signerRegisters(facts: HclEvidence["hardware"]["facts"]): Readonly<Record<string, string>> {
  const { idKeyDigest, familyId, imageId, guestSvn } = facts;
  if (typeof idKeyDigest !== "string" || /^0*$/.test(idKeyDigest)) return {};
  if (typeof familyId !== "string" || typeof imageId !== "string" || typeof guestSvn !== "number") return {};
  return { idKeyDigest, familyId, imageId, guestSvn: String(guestSvn) };
}

/** All fields, those of the hardware's Evidence too. */
export function factsOf({ hcl, quoted }: AzureEvidence): Readonly<Record<string, JsonValue>> {
  return { ...hclFacts(hcl), ...quoteFacts(quoted) };
}

/** Of the hardware and the HCL report. `hclVersion` and `hclHash` are of its header, which nothing authenticates. */
export function hclFacts({ report, runtimeData, hardware }: HclEvidence): Readonly<Record<string, JsonValue>> {
  const { userData: quoteUserData } = hardware.facts;
  return {
    ...hardware.facts,
    // A TD quote has user data of its own.
    ...(quoteUserData === undefined ? {} : { quoteUserData }),
    hclVersion: report.version,
    hclReportType: report.reportType,
    hclHash: report.hash,
    reportData: toHex(hardware.bound),
    akModulus: toHex(runtimeData.attestationKey.modulus),
    userData: runtimeData.userData,
    secureBoot: runtimeData.secureBoot,
    vmConfiguration: runtimeData.configuration,
  };
}

/** Of the quote. `pcrs` are those that it covers. */
export function quoteFacts({ quote, pcrs }: QuoteEvidence): Readonly<Record<string, JsonValue>> {
  const { clock } = quote;
  return {
    nonce: toHex(quote.extraData),
    pcrSelection: [...quote.selection],
    pcrs: Object.fromEntries([...pcrs].map(([number, pcr]) => [String(number), toHex(pcr)])),
    qualifiedSigner: toHex(quote.qualifiedSigner),
    tpmClock: hexOf(clock.milliseconds),
    tpmClockSafe: clock.safe,
    tpmResetCount: clock.resetCount,
    tpmRestartCount: clock.restartCount,
    tpmFirmwareVersion: hexOf(quote.firmwareVersion),
  };
}

function hexOf(value: bigint): string {
  return value.toString(16).padStart(16, "0");
}
