/** configfs-tsm against a kernel that behaves as Linux does, with its errors and races. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { createTsmDevice, tsmProbe } from "../src/attester/providers/configfs-tsm/tsm-device.ts";
import { systemTsmFiles, type TsmFiles } from "../src/attester/providers/configfs-tsm/tsm-files.ts";
import { readTsmReport } from "../src/attester/providers/configfs-tsm/tsm-report.ts";
import { type FakeEntry, fakeKernel, type FakeKernel, systemError } from "./fixtures-attester/fake-kernel.ts";
import { certificateTable, noVectors, recorded, snpBinding, tdxBinding } from "./fixtures-attester/recorded.ts";
import { temporaryFolder } from "./oci-image.ts";

const binding = Uint8Array.from({ length: 64 }, (_, index) => index);
const root = "/tsm";

function around(kernel: FakeKernel, files: TsmFiles = kernel.files) {
  const slept: number[] = [];
  const sleep = async (ms: number): Promise<void> => void slept.push(ms);
  return { slept, access: { files, root, sleep } };
}

const echo = (inblob: Uint8Array, level: number): Uint8Array => Uint8Array.of(level, ...inblob);

describe("a report of configfs-tsm", () => {
  it("is of the bytes that were written, and its entry is removed", async () => {
    const kernel = fakeKernel({ provider: "tdx_guest", report: echo });
    const { provider, outblob, auxblob } = await readTsmReport(around(kernel).access, binding);
    expect(provider).toBe("tdx_guest");
    expect(outblob).toEqual(Uint8Array.of(0, ...binding));
    expect(auxblob).toEqual(new Uint8Array());
    expect(kernel.writes.map(([name]) => name)).toEqual(["inblob"]);
    expect(kernel.entries.size).toBe(0);
  });

  it.each([0, 2])("asks for the lowest level that the kernel itself has, %i", async (floor) => {
    const kernel = fakeKernel({ provider: "sev_guest", report: echo, floor, auxblob: Uint8Array.of(7) });
    const { outblob, auxblob } = await readTsmReport(around(kernel).access, binding);
    expect(outblob[0]).toBe(floor);
    expect(auxblob).toEqual(Uint8Array.of(7));
    expect(kernel.writes.map(([name]) => name)).toEqual(["privlevel", "inblob"]);
    expect(kernel.reports).toBe(1);
  });

  it.each(["EBUSY", "EAGAIN", "EINTR", "ETIMEDOUT"])(
    "is asked for again after %s, in an entry of its own",
    async (code) => {
      const kernel = fakeKernel({ provider: "tdx_guest", report: echo, errors: [code, code] });
      const { access, slept } = around(kernel);
      expect((await readTsmReport(access, binding)).outblob).toEqual(Uint8Array.of(0, ...binding));
      expect(slept).toHaveLength(2);
      expect(kernel.writes).toHaveLength(3);
      expect(kernel.entries.size).toBe(0);
    },
  );

  it("is given up after a bounded number of attempts", async () => {
    const kernel = fakeKernel({
      provider: "tdx_guest",
      report: echo,
      errors: Array.from({ length: 99 }, () => "EBUSY"),
    });
    const { access, slept } = around(kernel);
    await expect(readTsmReport(access, binding)).rejects.toMatchObject({
      code: "busy",
      message: expect.stringMatching(/EBUSY, 7 times/),
    });
    expect(slept).toHaveLength(6);
    expect(kernel.entries.size).toBe(0);
  });

  it("is never one that another process had a hand in: its generation tells", async () => {
    let intruders = 1;
    const meanwhile = (entry: FakeEntry, files: TsmFiles): void => {
      if (intruders === 0) return;
      intruders -= 1;
      void files.write(join(entry.path, "inblob"), new Uint8Array(64).fill(0xee));
    };
    const kernel = fakeKernel({ provider: "tdx_guest", report: echo, meanwhile });
    const { access, slept } = around(kernel);
    expect((await readTsmReport(access, binding)).outblob).toEqual(Uint8Array.of(0, ...binding));
    expect(slept).toHaveLength(1);
    const always = fakeKernel({
      provider: "tdx_guest",
      report: echo,
      meanwhile: (entry, files) => void files.write(join(entry.path, "inblob"), binding),
    });
    await expect(readTsmReport(around(always).access, binding)).rejects.toMatchObject({
      code: "busy",
      message: expect.stringMatching(/generation moved by 2, not by 1/),
    });
  });

  it("is refused where the kernel dropped what was written", async () => {
    const kernel = fakeKernel({ provider: "tdx_guest", report: echo });
    const write = async (): Promise<void> => undefined;
    const { access } = around(kernel, { ...kernel.files, write });
    await expect(readTsmReport(access, binding)).rejects.toMatchObject({
      code: "failed",
      message: expect.stringMatching(/EINVAL/),
    });
  });

  it("keeps its reason where the entry cannot be removed", async () => {
    const kernel = fakeKernel({ provider: "tdx_guest", report: echo });
    const removeDirectory = (): Promise<void> => Promise.reject(systemError("EBUSY"));
    const { access } = around(kernel, { ...kernel.files, removeDirectory });
    expect((await readTsmReport(access, binding)).provider).toBe("tdx_guest");
  });

  it.each([
    ["a blob without end", { report: () => new Uint8Array(65_537) }, "malformed"],
    ["a level that is none", { report: echo, floor: 4 }, "malformed"],
    ["an error of the host", { report: echo, errors: ["EIO"] }, "failed"],
    ["a kernel that lost its driver", { report: echo, errors: ["ENXIO"] }, "absent"],
  ] as const)("is refused for %s", async (_, options, code) => {
    const kernel = fakeKernel({ provider: "sev_guest", ...options });
    await expect(readTsmReport(around(kernel).access, binding)).rejects.toMatchObject({ code });
    expect(kernel.entries.size).toBe(0);
  });
});

describe("looking for configfs-tsm", () => {
  const readProduct = async (): Promise<null> => null;
  const look = (kernel: FakeKernel, files?: TsmFiles) => tsmProbe(around(kernel, files).access, readProduct).look();

  it.each([
    ["sev_guest", "sev-snp"],
    ["tdx_guest", "tdx"],
  ])("finds the TEE of %s, without asking for a report", async (provider, tee) => {
    const kernel = fakeKernel({ provider, report: echo });
    const { report, found } = await look(kernel);
    expect(report).toEqual({ device: "configfs-tsm", present: true, usable: true, reason: tee });
    expect(found?.tee).toBe(tee);
    expect(kernel.reports).toBe(0);
    expect(kernel.entries.size).toBe(0);
  });

  it.each([
    ["arm_cca_guest", "its driver is arm_cca_guest, not sev_guest or tdx_guest"],
    ["constructor", "its driver is constructor, not sev_guest or tdx_guest"],
    ["\u001b[2J", "its driver is of another form, not sev_guest or tdx_guest"],
  ])("cannot use the driver %j", async (provider, reason) => {
    const { report, found } = await look(fakeKernel({ provider, report: echo }));
    expect(report).toEqual({ device: "configfs-tsm", present: true, usable: false, reason });
    expect(found).toBeNull();
  });

  it.each([
    ["ENOENT", false, /no TEE driver in this kernel/],
    ["ENXIO", false, /no TEE driver in this kernel/],
    ["EACCES", true, /not allowed \(EACCES\)/],
    ["EROFS", true, /not allowed \(EROFS\)/],
    ["ENOMEM", true, /ENOMEM/],
  ])("says what %s means", async (code, present, reason) => {
    const kernel = fakeKernel({ provider: "sev_guest", report: echo });
    const makeDirectory = (): Promise<void> => Promise.reject(systemError(code));
    const { report } = await look(kernel, { ...kernel.files, makeDirectory });
    expect(report).toMatchObject({ present, usable: false, reason: expect.stringMatching(reason) });
  });
});

describe.skipIf(noVectors)("configfs-tsm that replays real Evidence", () => {
  const replaying = (provider: string, evidence: Uint8Array, more: object = {}): FakeKernel =>
    fakeKernel({ provider, report: () => evidence, ...more });
  const device = (tee: "sev-snp" | "tdx", kernel: FakeKernel) =>
    createTsmDevice(tee, around(kernel).access, async () => "milan");

  it("gives a report of SEV-SNP, whose it is, and the VCEK of the host", async () => {
    const report = recorded("snp/milan-v5-gcp-reportdata.report.bin");
    const vcek = recorded("snp/milan-v5-gcp-reportdata.vcek.der");
    const kernel = replaying("sev_guest", report, { floor: 0, auxblob: certificateTable("vcek", vcek) });
    const { evidence, subject, given } = await device("sev-snp", kernel).read(snpBinding(report));
    expect(evidence).toEqual(report);
    expect(subject).toMatchObject({ tee: "sev-snp", product: "milan", key: "vcek" });
    expect(given.ek).toEqual(vcek);
  });

  it("takes the VLEK where the report is signed by one, and no VCEK that stands in its place", async () => {
    const report = recorded("snp/milan-v3-aws-vlek.report.bin");
    const vlek = recorded("snp/milan-v3-aws-vlek.vlek.der");
    const right = replaying("sev_guest", report, { floor: 0, auxblob: certificateTable("vlek", vlek) });
    expect((await device("sev-snp", right).read(snpBinding(report))).given.ek).toEqual(vlek);
    const wrong = replaying("sev_guest", report, { floor: 0, auxblob: certificateTable("vcek", vlek) });
    expect((await device("sev-snp", wrong).read(snpBinding(report))).given.ek).toBeNull();
  });

  it("does without certificates where the host hands over rubbish", async () => {
    const report = recorded("snp/turin-v5-ms.report.bin");
    const kernel = replaying("sev_guest", report, { floor: 0, auxblob: new Uint8Array(100).fill(0xff) });
    const { subject, given } = await device("sev-snp", kernel).read(snpBinding(report));
    expect(subject).toMatchObject({ product: "turin" });
    expect(given.ek).toBeNull();
  });

  it("asks the machine for the product only where the report does not name it", async () => {
    const old = recorded("snp/milan-v2-virtee.report.bin");
    const { subject } = await device("sev-snp", replaying("sev_guest", old, { floor: 0 })).read(snpBinding(old));
    expect(subject).toMatchObject({ product: "milan" });
    const genoa = recorded("snp/genoa-v3-aci-ms.report.bin");
    expect((await device("sev-snp", replaying("sev_guest", genoa)).read(snpBinding(genoa))).subject).toMatchObject({
      product: "genoa",
    });
  });

  it.each(["v4-phala", "v5-google"])("gives the TD quote %s, and whose it is", async (name) => {
    const quote = recorded(`tdx/${name}.quote.bin`);
    const { evidence, subject, given } = await device("tdx", replaying("tdx_guest", quote)).read(tdxBinding(quote));
    expect(evidence).toEqual(quote);
    expect(subject).toMatchObject({ tee: "tdx", fmspc: expect.stringMatching(/^[0-9a-f]{12}$/) });
    expect(given).toEqual({ ek: null, uvm: null });
  });

  it.each([
    ["sev_guest", "sev-snp", "snp/milan-v5-gcp-reportdata.report.bin"],
    ["tdx_guest", "tdx", "tdx/v4-phala.quote.bin"],
    ["tdx_guest", "tdx", "tdx/v5-google.quote.bin"],
  ] as const)("refuses the old Evidence of another request from %s", async (provider, tee, file) => {
    const kernel = replaying(provider, recorded(file));
    await expect(device(tee, kernel).read(binding)).rejects.toMatchObject({
      code: "malformed",
      message: "the device signed something else than it was given",
    });
  });

  it("refuses another TEE than at the start", async () => {
    const quote = recorded("tdx/v4-phala.quote.bin");
    const kernel = replaying("tdx_guest", quote);
    await expect(device("sev-snp", kernel).read(tdxBinding(quote))).rejects.toMatchObject({ code: "malformed" });
  });
});

describe("the machine's own files", () => {
  /** A directory whose attributes appear as it is made, and whose report is there once something was written. */
  function attributes(): TsmFiles {
    const change = (entry: string, name: string, text: string | Uint8Array): void =>
      writeFileSync(join(entry, name), text);
    return {
      ...systemTsmFiles,
      async makeDirectory(entry) {
        await systemTsmFiles.makeDirectory(entry);
        for (const name of ["inblob", "outblob"]) change(entry, name, "");
        change(entry, "generation", "0\n");
        change(entry, "provider", "tdx_guest\n");
      },
      async write(file, bytes) {
        await systemTsmFiles.write(file, bytes);
        const entry = join(file, "..");
        const count = Number(readFileSync(join(entry, "generation"), "utf8"));
        change(entry, "generation", `${count + 1}\n`);
        if (basename(file) === "inblob") change(entry, "outblob", Buffer.concat([Buffer.alloc(5000), bytes]));
      },
      async removeDirectory(entry) {
        for (const name of readdirSync(entry)) rmSync(join(entry, name));
        await systemTsmFiles.removeDirectory(entry);
      },
    };
  }

  it("are read to their end and written with one write, and leave nothing behind", async () => {
    const path = await temporaryFolder();
    const access = { files: attributes(), root: path, sleep: async (): Promise<void> => undefined };
    const { outblob, provider } = await readTsmReport(access, binding);
    expect(Buffer.from(outblob).equals(Buffer.concat([Buffer.alloc(5000), binding]))).toBe(true);
    expect(provider).toBe("tdx_guest");
    expect(readdirSync(path)).toEqual([]);
  });

  it("are bounded, never made by writing, and removed only where they are empty", async () => {
    const path = await temporaryFolder();
    writeFileSync(join(path, "long"), Buffer.alloc(65));
    await expect(systemTsmFiles.read(join(path, "long"), 64)).rejects.toThrow("at most 64 bytes");
    expect(await systemTsmFiles.read(join(path, "long"), 65)).toHaveLength(65);
    await expect(systemTsmFiles.write(join(path, "none"), binding)).rejects.toMatchObject({ code: "ENOENT" });
    mkdirSync(join(path, "full/inner"), { recursive: true });
    await expect(systemTsmFiles.removeDirectory(join(path, "full"))).rejects.toMatchObject({ code: "ENOTEMPTY" });
  });
});
