/** The native program itself: what it takes, what it asks the kernel, what it answers. */
import { spawnSync } from "node:child_process";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { createTeeIoctl } from "../src/attester/providers/ioctl/tee-ioctl.ts";
import { createNsmDevice } from "../src/attester/providers/nsm/nsm.ts";
import { createSevGuestDevice } from "../src/attester/providers/sev-guest/sev-guest.ts";
import { snpReport } from "./fixtures-attester/fake-tpm.ts";
import { canCompile, compileBoth, scripted } from "./fixtures-attester/native.ts";
import { reportResponse } from "./fixtures-attester/recorded.ts";
import { temporaryFolder } from "./oci-image.ts";

const binding = Uint8Array.from({ length: 64 }, (_, index) => 0x80 + index);
const request = (call: number, length = 65): Buffer => {
  const bytes = Buffer.alloc(69);
  bytes.writeUInt32LE(length, 0);
  bytes[4] = call;
  bytes.set(binding, 5);
  return bytes;
};

describe.skipIf(!canCompile)("tee-ioctl", () => {
  let folder = "";
  let program = "";
  beforeAll(async () => {
    folder = await temporaryFolder();
    ({ program } = compileBoth(folder));
  });

  const run = (
    input: Uint8Array,
    device = "/dev/null",
  ): { readonly status: number | null; readonly output: string } => {
    const descriptor = openSync(device, "r+");
    try {
      const { status, stdout } = spawnSync(program, [], { input, stdio: ["pipe", "pipe", "inherit", descriptor] });
      return { status, output: stdout.toString("hex") };
    } finally {
      closeSync(descriptor);
    }
  };

  /** An answer that is an error and nothing else, in hex. */
  const head = (errno: number): string => `0c000000${errno.toString(16).padStart(2, "0")}${"00".repeat(11)}`;
  const enotty = head(constants.errno.ENOTTY);

  it.each([1, 2, 3])("answers ENOTTY, and nothing else, where call %i meets what is no such device", (call) => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    expect(run(request(call))).toEqual({ status: 0, output: enotty });
    expect(run(request(call), file)).toEqual({ status: 0, output: enotty });
  });

  it("answers EBADF without a device", () => {
    const { status, stdout } = spawnSync(program, [], { input: request(1), stdio: ["pipe", "pipe", "inherit"] });
    expect([status, stdout.toString("hex")]).toEqual([0, head(constants.errno.EBADF)]);
  });

  it.each([
    ["nothing", Buffer.alloc(0)],
    ["half a length", request(1).subarray(0, 2)],
    ["a length and no call", request(1).subarray(0, 4)],
    ["one byte less", request(1).subarray(0, 68)],
    ["one byte more", Buffer.concat([request(1), Buffer.of(0)])],
    ["two requests", Buffer.concat([request(1), request(2)])],
    ["a megabyte", Buffer.alloc(1 << 20, 1)],
    ["length 0", request(1, 0)],
    ["length 64", request(1, 64)],
    ["length 66", request(1, 66)],
    ["the largest length", request(1, 0xffff_ffff)],
    ["call 0", request(0)],
    ["call 4", request(4)],
    ["call 255", request(255)],
  ])("answers nothing to %s", (_, input) => {
    expect(run(input)).toEqual({ status: 1, output: "" });
  });

  it("says so where nobody takes its answer", () => {
    const full = openSync("/dev/full", "w");
    const { status } = spawnSync(program, [], { input: request(1), stdio: ["pipe", full, "inherit"] });
    closeSync(full);
    expect(status).toBe(2);
  });

  const sleep = async (): Promise<void> => undefined;
  const readProduct = async (): Promise<"milan"> => "milan";
  const asked = async (
    name: "sev-guest" | "nsm",
    call: "snp-ext-report" | "snp-report" | "nsm-attestation",
    script: Parameters<typeof scripted>[2],
  ) => {
    const { program: fake, record } = scripted(folder, name, script);
    const answer = await createTeeIoctl(fake).ask("/dev/null", call, binding);
    return { answer, record: record() };
  };

  it("asks /dev/sev-guest for a report of VMPL 0 with 16 KiB of certificates, on whole pages", async () => {
    const certificates = Buffer.alloc(16_384, "certificates");
    const response = Buffer.alloc(4000, "response");
    const script = { result: 0, detail: 0n, answer: Buffer.concat([response, certificates]) };
    const { answer, record } = await asked("sev-guest", "snp-ext-report", script);
    expect(record).toMatchObject({ number: 0xc020_5302, descriptor: 3 });
    expect(record.argument[0]).toBe(1);
    expect(record.argument.readBigUInt64LE(24)).toBe(0n);
    expect(record.request.subarray(0, 64).equals(binding)).toBe(true);
    expect(record.request.subarray(64, 96).equals(Buffer.alloc(32))).toBe(true);
    expect(record.request.readBigUInt64LE(96) % 4096n).toBe(0n);
    expect(record.request.readUInt32LE(104)).toBe(16_384);
    expect(answer.errno).toBe(0);
    expect(Buffer.from(answer.payload).equals(script.answer)).toBe(true);
  });

  it("asks /dev/sev-guest for a report alone", async () => {
    const script = { result: 0, detail: 0n, answer: Buffer.alloc(4000, "response") };
    const { answer, record } = await asked("sev-guest", "snp-report", script);
    expect(record).toMatchObject({ number: 0xc020_5300, descriptor: 3 });
    expect(record.request.subarray(0, 64).equals(binding)).toBe(true);
    expect(Buffer.from(answer.payload).equals(script.answer)).toBe(true);
  });

  it.each([
    ["ENOSPC", constants.errno.ENOSPC, 1n << 32n],
    ["EAGAIN of a host that throttles", constants.errno.EAGAIN, 2n << 32n],
    ["EIO of the firmware", constants.errno.EIO, 0x16n],
  ])("hands on %s, with what firmware and hypervisor said and no bytes", async (_, errno, detail) => {
    const script = { result: -errno, detail, answer: Buffer.alloc(4000, "left over") };
    const { answer } = await asked("sev-guest", "snp-ext-report", script);
    expect(answer).toEqual({ errno, detail, payload: new Uint8Array() });
  });

  it("asks /dev/nsm for a document over these bytes, and nothing else of it", async () => {
    const script = { result: 0, detail: 5n, answer: Buffer.from("a1656572") };
    const { answer, record } = await asked("nsm", "nsm-attestation", script);
    expect(record).toMatchObject({ number: 0xc020_0a00, descriptor: 3 });
    const length = Number(record.argument.readBigUInt64LE(8));
    const text = (value: string): Buffer => Buffer.from([0x60 + value.length, ...Buffer.from(value)]);
    const expected = Buffer.concat([
      Buffer.of(0xa1),
      text("Attestation"),
      Buffer.of(0xa3),
      text("user_data"),
      Buffer.of(0x58, 64),
      binding,
      text("nonce"),
      Buffer.of(0xf6),
      text("public_key"),
      Buffer.of(0xf6),
    ]);
    expect(record.request.subarray(0, length).equals(expected)).toBe(true);
    expect(record.argument.readBigUInt64LE(24)).toBe(12_288n);
    expect(Buffer.from(answer.payload).toString()).toBe("a1656");
  });

  it("trusts no length that the kernel never gives", async () => {
    const script = { result: 0, detail: 12_289n, answer: Buffer.alloc(8) };
    expect((await asked("nsm", "nsm-attestation", script)).answer).toMatchObject({
      errno: 0,
      payload: new Uint8Array(),
    });
  });

  it("gives the provider of SEV-SNP a report, from request to Evidence", async () => {
    const report = snpReport(binding);
    const answer = Buffer.concat([reportResponse(report), Buffer.alloc(16_384)]);
    const real = createTeeIoctl(scripted(folder, "sev-guest", { result: 0, detail: 0n, answer }).program);
    const ioctl = {
      ask: (_: string, call: Parameters<typeof real.ask>[1], bytes: Uint8Array) => real.ask("/dev/null", call, bytes),
    };
    const device = createSevGuestDevice({ ioctl, sleep, readProduct });
    expect(Buffer.from((await device.read(binding)).evidence).equals(report)).toBe(true);
  });

  it("is not there, or no program, and says so", async () => {
    const file = join(folder, "no-program");
    writeFileSync(file, "text", { mode: 0o755 });
    for (const [path, reason] of [
      [join(folder, "none"), /ENOENT/],
      [file, /ENOEXEC|status/],
      ["/bin/false", /status 1/],
      ["/bin/true", /truncated|answer/],
    ] as const) {
      await expect(createTeeIoctl(path).ask("/dev/null", "snp-report", binding)).rejects.toThrow(reason);
    }
  });

  it("is never started where the device cannot be opened", async () => {
    const ioctl = createTeeIoctl(program);
    await expect(ioctl.ask(join(folder, "none"), "snp-report", binding)).rejects.toMatchObject({ code: "absent" });
    await expect(createNsmDevice(ioctl, sleep).read(binding)).rejects.toMatchObject({ code: "absent" });
  });
});
