/** Puts together what Evidence takes on a real machine: the TEE's device that is there, and the Endorsements of its vendor. */
import { randomBytes } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import {
  createEndorser,
  type Endorser,
  MAX_ENDORSEMENTS_BYTES,
  memoryCache,
  parseEndorsementsDocument,
} from "@blindbox/attestation/endorsers";
import {
  createEndorsementSource,
  createHardwareProvider,
  describeReports,
  detectDevice,
  type TeeDevice,
} from "./attester/index.ts";
import type { Machine } from "./machine.ts";
import type { EmitEvent, EvidenceProvider } from "./parts.ts";
import { orRefuse, RefusalError } from "./refusal.ts";

export interface HardwareOptions {
  readonly machine: Machine;
  /** Path of a document to take Endorsements from, for machines that cannot reach the vendor; null: there is none. */
  readonly endorsements: string | null;
  readonly onEvent: EmitEvent;
}

/**
 * The provider of the TEE that this machine is. Has it make Evidence once, so that a box which cannot give any does not start.
 *
 * @throws RefusalError with code `no-tee-device`, or `evidence-failed` where device or vendor give nothing.
 */
export async function findHardware({ machine, endorsements, onEvent }: HardwareOptions): Promise<EvidenceProvider> {
  const device = await findDevice(machine, onEvent);
  const hint = "without evidence nobody could trust this box: check its TEE device, and that it reaches its vendor";
  return orRefuse("evidence-failed", hint, async () => {
    const endorser = endorserFor(device, machine);
    if (endorsements !== null) await importDocument(endorser, endorsements);
    const onFailure = (error: Error): void => onEvent({ event: "endorsements-failed", reason: error.message });
    const source = createEndorsementSource({ endorser, now: machine.now, onFailure });
    const provider = createHardwareProvider(device, source);
    // Random bytes: no Statement has this hash, so this Evidence says nothing to anybody.
    await provider.getEvidence(randomBytes(64));
    return provider;
  });
}

async function findDevice({ probes }: Machine, onEvent: EmitEvent): Promise<TeeDevice> {
  const { found, reports } = await detectDevice(probes);
  for (const { device, present, usable, reason } of reports) {
    onEvent({ event: "tee-device", device, present, usable, reason });
  }
  if (found !== null) return found;
  throw new RefusalError(
    "no-tee-device",
    `no TEE device found: ${describeReports(reports)}`,
    "start the box inside a TEE with its device passed on, or build with --tee simulated to try it without one",
  );
}

/** On Azure the machine's own metadata service has AMD's certificates; elsewhere AMD is asked. */
function endorserFor({ tee }: TeeDevice, { fetch, now, sleep }: Machine): Endorser {
  const amdSource = tee === "azure-vtpm" ? "thim" : "kds";
  const cache = memoryCache();
  return createEndorser({ fetch, now, sleep, random: Math.random, cache, amdSource, intelUpdate: "default" });
}

/** What is in it need not be trusted: it is signed by the vendor, and every Verifier looks. */
async function importDocument(endorser: Endorser, path: string): Promise<void> {
  const { size } = await stat(path);
  if (size > MAX_ENDORSEMENTS_BYTES) {
    throw new RangeError(`--endorsements: expected at most ${MAX_ENDORSEMENTS_BYTES} bytes, found ${size}`);
  }
  await endorser.keep(parseEndorsementsDocument(await readFile(path)));
}
