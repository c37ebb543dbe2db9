/** From a machine to the provider of its box: what is logged, and when it is refused. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  createEndorser,
  formatEndorsementsDocument,
  memoryCache,
  sevSnpSubject,
  type VendorFetch,
} from "@blindbox/attestation/endorsers";
import { describe, expect, it } from "vitest";
import { tsmProbe } from "../src/attester/providers/configfs-tsm/tsm-device.ts";
import type { DeviceProbe } from "../src/attester/providers/device.ts";
import { absent } from "../src/attester/providers/probe-results.ts";
import { findHardware } from "../src/hardware.ts";
import { type Machine, thisMachine } from "../src/machine.ts";
import type { BoxEvent } from "../src/parts.ts";
import { fakeKernel } from "./fixtures-attester/fake-kernel.ts";
import { MILAN_NOW, milanVendor } from "./fixtures-attester/milan-vendor.ts";
import { noVectors, recorded } from "./fixtures-attester/recorded.ts";
import { temporaryFolder } from "./oci-image.ts";

const noTpm: DeviceProbe = { device: "vtpm", look: async () => absent("vtpm", "no /dev/tpmrm0") };
const noNetwork: VendorFetch = () => Promise.reject(new TypeError("fetch failed"));

/** A machine of SEV-SNP whose report is real but for what it is asked to sign. */
function milan(fetch: VendorFetch): Machine {
  const report = (binding: Uint8Array): Uint8Array => {
    const bytes = recorded("snp/milan-v5-gcp-reportdata.report.bin");
    bytes.set(binding, 0x50);
    return bytes;
  };
  const { files } = fakeKernel({ provider: "sev_guest", report, floor: 0, auxblob: new Uint8Array() });
  const probe = tsmProbe({ files, root: "/tsm", sleep: async () => undefined }, async () => null);
  // Waits between attempts pass at once; those that bound an attempt never end.
  const sleep: Machine["sleep"] = (ms) => (ms >= 15_000 ? new Promise(() => undefined) : Promise.resolve());
  return { probes: [noTpm, probe], fetch, now: () => MILAN_NOW, sleep };
}

function find(machine: Machine, endorsements: string | null = null) {
  const events: BoxEvent[] = [];
  return { events, provider: findHardware({ machine, endorsements, onEvent: (event) => void events.push(event) }) };
}

describe("a machine without a TEE", () => {
  it("is refused, with every place that was looked at", async () => {
    const { events, provider } = find({ ...thisMachine(), probes: [noTpm] });
    await expect(provider).rejects.toMatchObject({
      name: "RefusalError",
      code: "no-tee-device",
      message: "no TEE device found: vtpm: no /dev/tpmrm0",
    });
    expect(events).toEqual([
      { event: "tee-device", device: "vtpm", present: false, usable: false, reason: "no /dev/tpmrm0" },
    ]);
  });
});

it("this machine is looked at in the documented order", () => {
  expect(thisMachine().probes.map(({ device }) => device)).toEqual(["vtpm", "nsm", "configfs-tsm", "sev-guest"]);
});

describe.skipIf(noVectors)("a machine with a TEE", () => {
  it("gives Evidence with its vendor's Endorsements, which are asked for once", async () => {
    const { fetch, asked } = milanVendor();
    const { events, provider } = find(milan(fetch));
    const binding = new Uint8Array(64).fill(9);
    const { evidence, endorsements } = await (await provider).getEvidence(binding);
    expect(evidence.subarray(0x50, 0x90)).toEqual(binding);
    expect(Object.keys(endorsements as object).toSorted()).toEqual(["crls", "ek", "issuers", "uvm"]);
    expect(asked.toSorted()).toEqual(["cert_chain", "crl", "vcek"]);
    expect(events.map(({ device, usable }) => [device, usable])).toEqual([
      ["vtpm", false],
      ["configfs-tsm", true],
    ]);
  });

  it("is refused where its vendor is out of reach, with the next step", async () => {
    const { events, provider } = find(milan(noNetwork));
    await expect(provider).rejects.toMatchObject({
      code: "evidence-failed",
      message: expect.stringMatching(/unreachable.*missing: ek, issuers, crls/),
      hint: expect.stringMatching(/import a document/),
    });
    expect(events.at(-1)).toMatchObject({ event: "endorsements-failed" });
  });

  async function documentIn(folder: string): Promise<string> {
    const { fetch, now, sleep } = milan(milanVendor().fetch);
    const rest = { random: () => 0, cache: memoryCache(), amdSource: "kds", intelUpdate: "default" } as const;
    const subject = sevSnpSubject(recorded("snp/milan-v5-gcp-reportdata.report.bin"), null);
    const { endorsements } = await createEndorser({ fetch, now, sleep, ...rest }).fetch(subject, {
      ek: null,
      uvm: null,
    });
    const path = join(folder, "endorsements.json");
    writeFileSync(path, formatEndorsementsDocument(subject, endorsements));
    return path;
  }

  it("needs no network with a document of its Endorsements", async () => {
    const path = await documentIn(await temporaryFolder());
    const { provider } = find(milan(noNetwork), path);
    expect((await (await provider).getEvidence(new Uint8Array(64))).endorsements).toMatchObject({ uvm: null });
  });

  it.each([
    ["is not there", null, /ENOENT/],
    ["is none", "{}", /document/],
    ["is too long", " ".repeat(2 * 1024 * 1024 + 1), /at most 2097152 bytes/],
  ])("is refused where that document %s", async (_, text, message) => {
    const path = join(await temporaryFolder(), "document");
    if (text !== null) writeFileSync(path, text);
    const { provider } = find(milan(milanVendor().fetch), path);
    await expect(provider).rejects.toMatchObject({ code: "evidence-failed", message: expect.stringMatching(message) });
  });
});
