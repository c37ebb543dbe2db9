/**
 * Azure's confidential VMs: the paravisor owns the hardware's report and binds the key of a virtual TPM to it; that key signs
 * a quote, which holds the binding.
 */
import { createHash } from "node:crypto";
import { tdxSubject } from "@blindbox/attestation/endorsers";
import { canonicalJson, equalBytes, toBase64url, toHex, utf8 } from "@blindbox/encoding";
import { type ReadProduct, snpSubject } from "../amd.ts";
import { Disturbed, withAttempts } from "../attempts.ts";
import {
  type DeviceProbe,
  type DeviceReading,
  NOTHING_GIVEN,
  type ProbeResult,
  type Sleep,
  type TeeDevice,
} from "../device.ts";
import { DeviceFault } from "../device-fault.ts";
import { absent, unusable, usable } from "../probe-results.ts";
import { type HclHardware, hardwareIn } from "./hcl-report.ts";
import type { GetTdQuote } from "./td-quote.ts";
import { demandRsaKey, quote, readNv, readNvPublic, readPcrs, type TpmQuote } from "./tpm.ts";
import { isUnknownHandle } from "./tpm-command.ts";
import { AZURE_AK, HCL_REPORT_INDEX, PCR_COUNT } from "./tpm-constants.ts";
import type { TpmTransport, WithTpm } from "./tpm-transport.ts";

export interface AzureVtpmAccess {
  readonly withTpm: WithTpm;
  readonly getTdQuote: GetTdQuote;
  readonly sleep: Sleep;
  readonly readProduct: ReadProduct;
}

const evidenceType = "blindbox-azure-vtpm/1";

/** What the TPM gave for one binding. */
interface TpmReading {
  readonly hclReport: Uint8Array;
  readonly pcrs: readonly Uint8Array[];
  readonly quoted: TpmQuote;
}

/** The virtual TPM of a confidential VM. */
export function createAzureVtpmDevice(access: AzureVtpmAccess): TeeDevice {
  const { withTpm, sleep } = access;
  return {
    tee: "azure-vtpm",
    async read(binding) {
      const extraData = createHash("sha256").update(binding).digest();
      const reading = await withTpm((tpm) => withAttempts(sleep, () => readTpm(tpm, extraData)));
      return toReading(reading, access);
    },
  };
}

async function readTpm(tpm: TpmTransport, extraData: Uint8Array): Promise<TpmReading> {
  const hclReport = await readNv(tpm, await readNvPublic(tpm, HCL_REPORT_INDEX));
  const pcrs = await readPcrs(tpm);
  const quoted = await quote(tpm, AZURE_AK, extraData);
  if (!equalBytes(quoted.extraData, extraData) || quoted.selected.length !== PCR_COUNT) {
    throw new DeviceFault("malformed", "the TPM quotes something else than it was asked for");
  }
  const digest = createHash("sha256").update(Buffer.concat(pcrs)).digest();
  // What runs on this machine may extend a PCR at any time.
  if (!equalBytes(quoted.pcrDigest, digest)) throw new Disturbed("a PCR changed between reading and quoting");
  return { hclReport, pcrs, quoted };
}

async function toReading({ hclReport, pcrs, quoted }: TpmReading, access: AzureVtpmAccess): Promise<DeviceReading> {
  const hardware = hardwareIn(hclReport);
  const tdQuote = hardware.kind === "tdx" ? await access.getTdQuote(hardware.report) : null;
  const text = canonicalJson({
    hclReport: toBase64url(hclReport),
    pcrs: pcrs.map((pcr) => toHex(pcr)),
    quote: toBase64url(quoted.attest),
    signature: toBase64url(quoted.signature),
    tdQuote: tdQuote === null ? null : toBase64url(tdQuote),
    type: evidenceType,
  });
  return {
    evidence: utf8(text),
    subject: await subjectOf(hardware, tdQuote, access.readProduct),
    given: NOTHING_GIVEN,
  };
}

async function subjectOf(
  { report }: HclHardware,
  tdQuote: Uint8Array | null,
  readProduct: ReadProduct,
): Promise<DeviceReading["subject"]> {
  return tdQuote === null ? snpSubject(report, readProduct) : tdxSubject(tdQuote);
}

/** Looks whether there is a TPM with an HCL report and Azure's key. */
export function azureVtpmProbe(access: AzureVtpmAccess): DeviceProbe {
  const device = "vtpm";
  return { device, look: () => look(access).catch((error: unknown) => unusable(device, error)) };
}

async function look(access: AzureVtpmAccess): Promise<ProbeResult> {
  try {
    await access.withTpm((tpm) => withAttempts(access.sleep, () => demandAzure(tpm)));
    return usable("vtpm", createAzureVtpmDevice(access));
  } catch (error) {
    if (error instanceof DeviceFault && error.code === "absent") return absent("vtpm", error.message);
    if (!isUnknownHandle(error)) throw error;
    return unusable("vtpm", new Error("a TPM without the HCL report and key of an Azure confidential VM"));
  }
}

async function demandAzure(tpm: TpmTransport): Promise<void> {
  hardwareIn(await readNv(tpm, await readNvPublic(tpm, HCL_REPORT_INDEX)));
  await demandRsaKey(tpm, AZURE_AK);
}
