/**
 * Azure's confidential VMs: the paravisor owns the hardware's report and binds the key of a virtual TPM to it; that key signs
 * a quote, which holds the binding.
 */
import { createHash } from "node:crypto";
import { formatAzureEvidence, type HclReport, parseHclReport } from "@blindbox/attestation";
import { tdxSubject } from "@blindbox/attestation/endorsers";
import { equalBytes } from "@blindbox/encoding";
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
import { DeviceFault, readAnswer } from "../device-fault.ts";
import { absent, unusable, usable } from "../probe-results.ts";
import type { GetTdQuote } from "./td-quote.ts";
import { demandRsaKey, quote, readNv, readNvPublic, readPcrs, type SignedQuote } from "./tpm.ts";
import { isUnknownHandle } from "./tpm-command.ts";
import { AZURE_AK, HCL_REPORT_INDEX, PCR_COUNT } from "./tpm-constants.ts";
import type { TpmTransport, WithTpm } from "./tpm-transport.ts";

export interface AzureVtpmAccess {
  readonly withTpm: WithTpm;
  readonly getTdQuote: GetTdQuote;
  readonly sleep: Sleep;
  readonly readProduct: ReadProduct;
}

/** What the TPM gave for one binding. */
interface TpmReading extends SignedQuote {
  readonly hclReport: Uint8Array;
  readonly pcrs: readonly Uint8Array[];
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
  const signed = await quote(tpm, AZURE_AK, extraData);
  if (!equalBytes(signed.quote.extraData, extraData) || signed.quote.selection.length !== PCR_COUNT) {
    throw new DeviceFault("malformed", "the TPM quotes something else than it was asked for");
  }
  const digest = createHash("sha256").update(Buffer.concat(pcrs)).digest();
  // What runs on this machine may extend a PCR at any time.
  if (!equalBytes(signed.quote.pcrDigest, digest)) throw new Disturbed("a PCR changed between reading and quoting");
  return { hclReport, pcrs, ...signed };
}

async function toReading(reading: TpmReading, access: AzureVtpmAccess): Promise<DeviceReading> {
  const { reportType, hardwareReport } = readHclReport(reading.hclReport);
  const tdQuote = reportType === "tdx" ? await access.getTdQuote(hardwareReport) : null;
  return {
    evidence: formatAzureEvidence({ ...reading, quote: reading.quote.signed, tdQuote }),
    subject: tdQuote === null ? await snpSubject(hardwareReport, access.readProduct) : tdxSubject(tdQuote),
    given: NOTHING_GIVEN,
  };
}

function readHclReport(bytes: Uint8Array): HclReport {
  return readAnswer("an HCL report", () => parseHclReport(bytes));
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
  readHclReport(await readNv(tpm, await readNvPublic(tpm, HCL_REPORT_INDEX)));
  await demandRsaKey(tpm, AZURE_AK);
}
