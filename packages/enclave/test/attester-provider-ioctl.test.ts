/** SEV-SNP by /dev/sev-guest and Nitro by /dev/nsm, over a program that replays what devices answered, and their errors. */
import { constants } from "node:os";
import { describe, expect, it } from "vitest";
import { mintAws } from "../../attestation/test/nitro/vendor.ts";
import { createNsmDevice, nsmProbe } from "../src/attester/providers/nsm/nsm.ts";
import { documentInResponse } from "../src/attester/providers/nsm/nsm-response.ts";
import { createSevGuestDevice, sevGuestProbe } from "../src/attester/providers/sev-guest/sev-guest.ts";
import { DeviceFault } from "../src/attester/providers/device-fault.ts";
import { type IoctlAnswer, parseAnswer, type TeeIoctl } from "../src/attester/providers/ioctl/tee-ioctl.ts";
import { snpReport } from "./fixtures-attester/fake-tpm.ts";
import { certificateTable, noVectors, recorded, reportResponse, snpBinding } from "./fixtures-attester/recorded.ts";

const { EAGAIN, EBUSY, EIO, ENOSPC, ENOTTY, EPERM } = constants.errno;
const binding = Uint8Array.from({ length: 64 }, (_, index) => index);
const sleep = async (): Promise<void> => undefined;

function failing(errno: number, detail = 0n): IoctlAnswer {
  return { errno, detail, payload: new Uint8Array() };
}

function answering(payload: Uint8Array): IoctlAnswer {
  return { errno: 0, detail: 0n, payload };
}

/** Gives one answer after the other, the last one for ever, and remembers what it was asked. */
function replaying(...answers: readonly (IoctlAnswer | Error)[]): TeeIoctl & { readonly asked: string[] } {
  const left = [...answers];
  const asked: string[] = [];
  return {
    asked,
    async ask(device, call) {
      asked.push(`${device} ${call}`);
      const answer = left.length > 1 ? left.shift() : left[0];
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error("no answer");
      return answer;
    },
  };
}

const report = (bound: Uint8Array = binding): Uint8Array => snpReport(bound);

function extended(of: Uint8Array, table: Uint8Array = new Uint8Array()): Uint8Array {
  const payload = new Uint8Array(4000 + 16_384);
  payload.set(reportResponse(of));
  payload.set(table, 4000);
  return payload;
}

const sevGuest = (ioctl: TeeIoctl) => createSevGuestDevice({ ioctl, sleep, readProduct: async () => "milan" });

describe("/dev/sev-guest", () => {
  it("gives a report with no certificates where the host has none", async () => {
    const ioctl = replaying(answering(extended(report())));
    const { evidence, given, subject } = await sevGuest(ioctl).read(binding);
    expect(evidence).toEqual(report());
    expect(given).toEqual({ ek: null, uvm: null });
    expect(subject).toMatchObject({ product: "milan", key: "vcek", chipId: "07".repeat(64) });
    expect(ioctl.asked).toEqual(["/dev/sev-guest snp-ext-report"]);
  });

  it.each([
    ["ENOSPC", failing(ENOSPC, 1n << 32n)],
    ["an older kernel's EIO with the hypervisor's reason", failing(EIO, 1n << 32n)],
  ])("asks for the report alone where the host's certificates are too long (%s)", async (_, first) => {
    const ioctl = replaying(first, answering(reportResponse(report())));
    expect((await sevGuest(ioctl).read(binding)).evidence).toEqual(report());
    expect(ioctl.asked).toEqual(["/dev/sev-guest snp-ext-report", "/dev/sev-guest snp-report"]);
  });

  it.each([
    ["EBUSY", EBUSY],
    ["EAGAIN, as a host that throttles makes it", EAGAIN],
  ])("is asked again after %s, and not for ever", async (_, errno) => {
    const passing = replaying(failing(errno), failing(errno, 2n << 32n), answering(extended(report())));
    expect((await sevGuest(passing).read(binding)).evidence).toEqual(report());
    expect(passing.asked).toHaveLength(3);
    const lasting = replaying(failing(errno, 2n << 32n));
    await expect(sevGuest(lasting).read(binding)).rejects.toMatchObject({
      code: "busy",
      message: expect.stringMatching(/7 times/),
    });
    expect(lasting.asked).toHaveLength(7);
  });

  it.each([
    ["EIO with the firmware's reason", failing(EIO, 0x16n), "failed", /EIO, firmware or hypervisor 0x16/],
    ["ENOTTY", failing(ENOTTY), "failed", /ENOTTY: no such device/],
    ["EPERM", failing(EPERM), "denied", /EPERM/],
    ["an error without a name", failing(4095), "failed", /error 4095/],
    ["a status of the firmware", answering(reportResponse(report(), 0x16)), "failed", /refuses with 0x16/],
    ["a shorter report", answering(reportResponse(report(), 0, 1000)), "malformed", /1000 bytes/],
    ["the report of another request", answering(extended(report(new Uint8Array(64)))), "malformed", /something else/],
  ] as const)("says what is wrong with %s", async (_, answer, code, message) => {
    const reading = sevGuest(replaying(answer)).read(binding);
    await expect(reading).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it("refuses half an answer, and one whose reserved bytes are set", async () => {
    await expect(sevGuest(replaying(answering(new Uint8Array(3999)))).read(binding)).rejects.toThrow("truncated");
    const reserved = extended(report());
    reserved[8] = 1;
    await expect(sevGuest(replaying(answering(reserved))).read(binding)).rejects.toThrow("reserved");
  });

  it.skipIf(noVectors)("replays real Evidence, with the host's certificate", async () => {
    const real = recorded("snp/milan-v5-gcp-x25519.report.bin");
    const vcek = recorded("snp/milan-v5-gcp-x25519.vcek.der");
    const ioctl = replaying(answering(extended(real, certificateTable("vcek", vcek))));
    const { evidence, given } = await sevGuest(ioctl).read(snpBinding(real));
    expect(Buffer.from(evidence).equals(real)).toBe(true);
    expect(Buffer.from(given.ek ?? []).equals(vcek)).toBe(true);
  });
});

/** CBOR of a text or of bytes. */
function item(kind: 2 | 3, bytes: Uint8Array): Uint8Array {
  const head = kind << 5;
  if (bytes.length < 24) return Uint8Array.of(head | bytes.length, ...bytes);
  if (bytes.length < 256) return Uint8Array.of(head | 24, bytes.length, ...bytes);
  return Buffer.concat([Uint8Array.of(head | 25, bytes.length >> 8, bytes.length & 0xff), bytes]);
}

const text = (value: string): Uint8Array => item(3, Buffer.from(value));
const map = (name: string, value: Uint8Array): Uint8Array => Buffer.concat([Uint8Array.of(0xa1), text(name), value]);
const attestation = (document: Uint8Array): Uint8Array => map("Attestation", map("document", item(2, document)));

describe("/dev/nsm", () => {
  const nsm = (ioctl: TeeIoctl) => createNsmDevice(ioctl, sleep);

  it("gives the document, which needs no Endorsements", async () => {
    const document = mintAws({ userData: binding }).bytes;
    const ioctl = replaying(failing(EAGAIN), answering(attestation(document)));
    const { evidence, subject, given } = await nsm(ioctl).read(binding);
    expect(Buffer.from(evidence).equals(document)).toBe(true);
    expect(subject).toEqual({ tee: "nitro" });
    expect(given).toEqual({ ek: null, uvm: null });
    expect(ioctl.asked).toEqual(["/dev/nsm nsm-attestation", "/dev/nsm nsm-attestation"]);
  });

  it.each([
    ["of another request", { userData: binding.toReversed() }],
    ["with the binding for its nonce alone", { userData: null, nonce: binding }],
    ["with the binding for its public key alone", { userData: new Uint8Array(64), publicKey: binding }],
    ["with more than the binding", { userData: Uint8Array.of(...binding, 0) }],
    ["with less than the binding", { userData: binding.subarray(0, 63) }],
  ])("refuses a document %s", async (_, change) => {
    const ioctl = replaying(answering(attestation(mintAws(change).bytes)));
    const message = expect.stringMatching(/something else than it was given/);
    await expect(nsm(ioctl).read(binding)).rejects.toMatchObject({ code: "malformed", message });
  });

  it("refuses what is no document, though the binding stands in it", async () => {
    const noDocument = Buffer.concat([new Uint8Array(300), binding, new Uint8Array(9)]);
    const message = expect.stringMatching(/expected an attestation document: document/);
    for (const bytes of [noDocument, mintAws({ userData: binding }).bytes.subarray(0, -1)]) {
      const reading = nsm(replaying(answering(attestation(bytes)))).read(binding);
      await expect(reading).rejects.toMatchObject({ code: "malformed", message });
    }
  });

  it("repeats the names of errors that the module has, and no other text", () => {
    expect(() => documentInResponse(map("Error", text("InputTooLarge")))).toThrow("nsm: InputTooLarge");
    expect(() => documentInResponse(map("Error", text("\u001b[2J")))).toThrow("nsm: an error of another name");
  });

  const whole = attestation(new Uint8Array(300).fill(1));

  it.each([
    ["nothing", new Uint8Array()],
    ["another answer", map("GetRandom", map("random", item(2, binding)))],
    ["another member", map("Attestation", map("documents", item(2, binding)))],
    ["a text for the document", map("Attestation", map("document", text("x")))],
    ["two members", Buffer.concat([Uint8Array.of(0xa2), whole.subarray(1), text("x"), text("y")])],
    ["bytes behind it", Buffer.concat([whole, Uint8Array.of(0)])],
    ["a length of eight bytes", map("Attestation", map("document", Uint8Array.of(0x5b, 0, 0, 0, 0, 0, 0, 0, 0)))],
    ["a document of no definite length", map("Attestation", map("document", Uint8Array.of(0x5f, 0xff)))],
  ])("refuses %s", (_, bytes) => {
    expect(() => documentInResponse(bytes)).toThrow(expect.objectContaining({ name: "EncodingError" }));
  });

  it("refuses an answer that is cut off anywhere", () => {
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => documentInResponse(whole.subarray(0, length))).toThrow("truncated");
    }
  });

  it.skipIf(noVectors)("replays a real document", async () => {
    const document = recorded("nitro/prod-base-2024.cose");
    const given = documentInResponse(attestation(document));
    expect(Buffer.from(given).equals(document)).toBe(true);
  });
});

describe("looking for a device by asking it", () => {
  const missing = new DeviceFault("absent", "/dev/nsm: not there (ENOENT)");

  it("tells a device that is not there from one that cannot be used", async () => {
    expect((await nsmProbe(replaying(missing), sleep).look()).report).toEqual({
      device: "nsm",
      present: false,
      usable: false,
      reason: "no /dev/nsm",
    });
    const access = { ioctl: replaying(failing(ENOTTY)), sleep, readProduct: async () => null };
    expect((await sevGuestProbe(access).look()).report).toMatchObject({
      device: "sev-guest",
      present: true,
      usable: false,
      reason: expect.stringMatching(/ENOTTY/),
    });
  });

  it("asks with bytes that nobody could have chosen, and takes what answers", async () => {
    const bindings: string[] = [];
    const ioctl: TeeIoctl = {
      async ask(_device, _call, bytes) {
        bindings.push(Buffer.from(bytes).toString("hex"));
        return answering(attestation(mintAws({ userData: bytes }).bytes));
      },
    };
    const probe = nsmProbe(ioctl, sleep);
    expect((await probe.look()).found?.tee).toBe("nitro");
    await probe.look();
    expect(bindings[0]).toMatch(/^[0-9a-f]{128}$/);
    expect(bindings[0]).not.toBe(bindings[1]);
  });
});

describe("the answer of the native program", () => {
  it.each([
    ["one byte less than it announces", "1000000000000000000000000000000001"],
    ["one byte more", "0c0000000000000000000000000000000000"],
    ["no room for its head", "0400000000000000"],
    ["nothing", ""],
  ])("is refused with %s", (_, hex) => {
    expect(() => parseAnswer(Buffer.from(hex, "hex"))).toThrow(expect.objectContaining({ name: "EncodingError" }));
  });

  it("is read where it is whole", () => {
    const bytes = Buffer.from("0e00000010000000160000000200000061620000".slice(0, 36), "hex");
    expect(parseAnswer(bytes)).toMatchObject({ errno: 16, detail: 0x2_0000_0016n });
  });
});
