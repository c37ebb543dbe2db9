/** The machine that a box of real hardware runs on: where its TEE's device may be, and how its vendor is reached. */
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { VendorFetch } from "@blindbox/attestation/endorsers";
import {
  azureVtpmProbe,
  createTdQuoteSource,
  createTeeIoctl,
  type DeviceProbe,
  nsmProbe,
  type PostJson,
  productInCpuinfo,
  type ReadProduct,
  sevGuestProbe,
  systemTsmFiles,
  TPM_DEVICE,
  tpmAt,
  TSM_ROOT,
  tsmProbe,
} from "./attester/index.ts";

/** What finding the hardware needs of its surroundings. */
export interface Machine {
  /** Where a device may be, in the order in which it is looked for. */
  readonly probes: readonly DeviceProbe[];
  readonly fetch: VendorFetch;
  /** Seconds since 1970. */
  readonly now: () => number;
  /** Ends early, with whatever result, when `signal` aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** The one that this process runs on. */
export function thisMachine(): Machine {
  return {
    probes: probes(),
    fetch,
    now: () => Math.floor(Date.now() / 1000),
    sleep: async (milliseconds, signal) => {
      await delay(milliseconds, undefined, { signal });
    },
  };
}

/**
 * In this order. The virtual TPM first: where Azure's paravisor is, the hardware's own device answers for the paravisor or not
 * at all. A Nitro enclave has no other. The kernel's common interface goes before the older device of the same TEE.
 */
function probes(): readonly DeviceProbe[] {
  const sleep = (ms: number): Promise<void> => delay(ms);
  // In a bundle all files lie side by side.
  const ioctl = createTeeIoctl(fileURLToPath(new URL("tee-ioctl", import.meta.url)));
  const getTdQuote = createTdQuoteSource(postJson, sleep);
  return [
    azureVtpmProbe({ withTpm: tpmAt(TPM_DEVICE), getTdQuote, sleep, readProduct }),
    nsmProbe(ioctl, sleep),
    tsmProbe({ files: systemTsmFiles, root: TSM_ROOT, sleep }, readProduct),
    sevGuestProbe({ ioctl, sleep, readProduct }),
  ];
}

const readProduct: ReadProduct = async () => productInCpuinfo(await readFile("/proc/cpuinfo", "utf8"));

const postMs = 4_000;

const postJson: PostJson = async (url, body, maxBytes) => {
  const signal = AbortSignal.timeout(postMs);
  const headers = { "content-type": "application/json", metadata: "true" };
  const response = await fetch(url, { method: "POST", redirect: "manual", headers, body, signal });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxBytes) throw new RangeError(`the metadata service answers with more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return { status: response.status, text: Buffer.concat(chunks).toString("utf8") };
};
