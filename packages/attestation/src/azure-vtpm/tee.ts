/** The TEE `azure-vtpm`: confidential VMs of Azure, on SEV-SNP or TDX, behind Microsoft's paravisor and its virtual TPM. */
import { digest } from "@blindbox/encoding";
import { exactMembers, nonEmptyList, word, wrong } from "../arguments.ts";
import type { ParsedEvidence, Tee } from "../tee.ts";
import { appraiseAzure } from "./appraisal.ts";
import { authenticateAzure } from "./endorsements.ts";
import { parseAzureEvidence } from "./evidence.ts";
import { factsOf, registersOf, tuplesOn } from "./facts.ts";

/** What {@link azureVtpm} needs. */
export interface AzureVtpmOptions {
  /** What judges the hardware below: `sevSnp()`, `tdx()`, or both. Machines on other hardware are refused. */
  readonly hardware: readonly Tee[];
}

/**
 * Accepts Evidence of Azure's confidential VMs: the hardware's own report of the paravisor, the key that the paravisor made for
 * its virtual TPM, and that TPM's quote over all PCRs with the Statement's hash in it. A tuple of Reference Values says which
 * paravisor it is, in one of the shapes of that hardware, and names all of `pcr0` to `pcr23`.
 *
 * @throws TypeError where `hardware` is missing, empty, or names a kind twice or another than `sev-snp` and `tdx`.
 * @example
 * const tee = azureVtpm({ hardware: [sevSnp(), tdx()] });
 * createVerifier({ tees: [tee], referenceValues, policy: strictPolicy, now: () => new Date() })
 */
export function azureVtpm(options: AzureVtpmOptions): Tee {
  const hardware = readHardware(options);
  return {
    kind: "azure-vtpm",
    tuples: hardware.flatMap(tuplesOn),
    requiredChecks,
    // The boot loader or unified kernel image: what the machine's owner chose to start.
    measurementRegister: "pcr4",
    excusableRegisters,
    parseEvidence: (bytes) => readEvidence(bytes, hardware),
    boundForm: (binding) => digest("SHA-256", binding),
  };
}

const hardwareKinds = ["sev-snp", "tdx"] as const;

/**
 * PCRs without code in them (TCG PC Client Platform Firmware Profile, section 3.3.4; systemd's and IMA's above them):
 * settings of firmware and option ROMs, partition table, host platform, files as they are opened, the disk's identity.
 */
const excusableRegisters: readonly string[] = ["pcr1", "pcr3", "pcr5", "pcr6", "pcr10", "pcr15"];

/** What the hardware demands of its own part stands behind `hardware-checks`. */
const requiredChecks: readonly string[] = [
  "hardware-checks",
  "hcl-binding",
  "hcl-key-use",
  "tpm-quote-signature",
  "pcr-digest",
  "secure-boot",
  "serial-console",
];

function readHardware(options: unknown): readonly Tee[] {
  const { hardware } = exactMembers(options, "azureVtpm", ["hardware"]);
  const list = nonEmptyList(hardware, "azureVtpm.hardware").map((each, at) =>
    readTee(each, `azureVtpm.hardware[${at}]`),
  );
  const kinds = new Set(list.map(({ kind }) => kind));
  return kinds.size === list.length ? list : wrong("azureVtpm.hardware", "each kind of hardware once");
}

function readTee(value: unknown, path: string): Tee {
  if (typeof value !== "object" || value === null) return wrong(path, "sevSnp() or tdx()");
  const tee = value as Tee;
  word(tee.kind, `${path}.kind`, hardwareKinds);
  return tee;
}

function readEvidence(bytes: Uint8Array, hardware: readonly Tee[]): ParsedEvidence {
  const evidence = parseAzureEvidence(bytes, hardware);
  const { hcl, quoted } = evidence;
  return {
    registers: registersOf(evidence),
    facts: factsOf(evidence),
    tcb: hcl.hardware.tcb,
    debug: hcl.hardware.debug,
    bound: quoted.quote.extraData,
    authenticate: (endorsements, policy, now) => authenticateAzure(evidence, endorsements, policy, now),
    appraisePlatform: (policy) => appraiseAzure(evidence, policy),
  };
}
