/** Which device a box takes, what it says of the others, and the Evidence document that comes of it. */
import { bindingOf, leafHash, parseEvidenceDocument } from "@blindbox/attestation";
import { toHex } from "@blindbox/encoding";
import { describe, expect, it } from "vitest";
import { createAttester } from "../src/attester/index.ts";
import { productInCpuinfo } from "../src/attester/providers/amd.ts";
import { tsmProbe } from "../src/attester/providers/configfs-tsm/tsm-device.ts";
import { describeReports, detectDevice } from "../src/attester/providers/detect.ts";
import { type DeviceName, type DeviceProbe, NOTHING_GIVEN, type TeeDevice } from "../src/attester/providers/device.ts";
import { absent, unusable, usable } from "../src/attester/providers/probe-results.ts";
import { createHardwareProvider } from "../src/attester/providers/provider.ts";
import { azureVtpmProbe } from "../src/attester/providers/vtpm/azure-vtpm.ts";
import { fakeKernel } from "./fixtures-attester/fake-kernel.ts";
import { fakeTpm, hclReport, snpReport } from "./fixtures-attester/fake-tpm.ts";

const device: TeeDevice = {
  tee: "nitro",
  read: async (binding) => ({ evidence: binding, subject: { tee: "nitro" }, given: NOTHING_GIVEN }),
};

function probe(name: DeviceName, look: DeviceProbe["look"]): DeviceProbe & { looked: number } {
  const made = { device: name, looked: 0, look: () => ((made.looked += 1), look()) };
  return made;
}

describe("looking for a TEE's device", () => {
  it("takes the first that can be used, and looks no further", async () => {
    const first = probe("vtpm", async () => absent("vtpm", "no /dev/tpmrm0"));
    const second = probe("nsm", async () => usable("nsm", device));
    const third = probe("sev-guest", async () => usable("sev-guest", { ...device, tee: "sev-snp" }));
    const { found, reports } = await detectDevice([first, second, third]);
    expect(found).toBe(device);
    expect(reports).toEqual([
      { device: "vtpm", present: false, usable: false, reason: "no /dev/tpmrm0" },
      { device: "nsm", present: true, usable: true, reason: "nitro" },
    ]);
    expect(third.looked).toBe(0);
  });

  it("says of each what is wrong, where there is none", async () => {
    const { found, reports } = await detectDevice([
      probe("vtpm", async () => unusable("vtpm", new Error("not allowed (EACCES)"))),
      probe("nsm", async () => absent("nsm", "no /dev/nsm")),
    ]);
    expect(found).toBeNull();
    expect(describeReports(reports)).toBe("vtpm: cannot be used, not allowed (EACCES); nsm: no /dev/nsm");
  });

  const sleep = async (): Promise<void> => undefined;
  const readProduct = async (): Promise<null> => null;
  const getTdQuote = (): Promise<Uint8Array> => Promise.reject(new Error("no TD quote was due"));
  const kernel = () => fakeKernel({ provider: "sev_guest", report: snpReport, floor: 0, auxblob: new Uint8Array() });
  const bothProbes = (report: Uint8Array | null) => [
    azureVtpmProbe({ withTpm: fakeTpm({ hclReport: report }).withTpm, getTdQuote, sleep, readProduct }),
    tsmProbe({ files: kernel().files, root: "/tsm", sleep }, readProduct),
  ];

  it("takes the virtual TPM where a paravisor's report is in it, though the kernel offers SEV-SNP too", async () => {
    const { found } = await detectDevice(bothProbes(hclReport("sev-snp", snpReport())));
    expect(found?.tee).toBe("azure-vtpm");
  });

  it("takes SEV-SNP where the TPM is any other", async () => {
    const { found, reports } = await detectDevice(bothProbes(null));
    expect(found?.tee).toBe("sev-snp");
    expect(reports[0]).toMatchObject({ device: "vtpm", present: true, usable: false });
  });

  it("leads to an Evidence document whose report holds the binding of its Statement", async () => {
    const { found } = await detectDevice(bothProbes(null));
    if (found === null) throw new Error("nothing found");
    const digest = `sha256:${"a".repeat(64)}`;
    const attester = await createAttester({
      provider: createHardwareProvider(found, {
        endorse: async () => ({ crls: [], ek: null, issuers: [], uvm: null }),
      }),
      facts: {
        runtime: digest,
        manifest: digest,
        tls: digest,
        channel: null,
        sandbox: { driver: "rooted", selfTest: digest },
      },
      heads: () => ({ ledger: digest, audit: null }),
      selfTest: "{}",
      manifest: "{}",
      now: Date.now,
    });
    const leaf = await leafHash("none", new Uint8Array(32).fill(3), undefined);
    const document = parseEvidenceDocument(await attester.attest(leaf));
    expect(document.tee).toBe("sev-snp");
    expect(toHex(document.evidence.subarray(0x50, 0x90))).toBe(toHex(await bindingOf(document.statement)));
    expect(document.endorsements).toEqual({ crls: [], ek: null, issuers: [], uvm: null });
  });
});

describe("the processor that the machine says it has", () => {
  const cpuinfo = (vendor: string, family: number, model: number): string =>
    `processor\t: 0\nvendor_id\t: ${vendor}\ncpu family\t: ${family}\nmodel\t\t: ${model}\nmodel name\t: AMD EPYC 9 model : 1\n`;

  it.each([
    [25, 1, "milan"],
    [25, 17, "genoa"],
    [25, 160, "genoa"],
    [26, 2, "turin"],
    [23, 49, null],
    [25, 32, null],
  ])("is told by family %i and model %i: %s", (family, model, product) => {
    expect(productInCpuinfo(cpuinfo("AuthenticAMD", family, model))).toBe(product);
  });

  it("is not known of another vendor, or where nothing is said", () => {
    expect(productInCpuinfo(cpuinfo("GenuineIntel", 25, 1))).toBeNull();
    expect(productInCpuinfo("")).toBeNull();
  });
});
