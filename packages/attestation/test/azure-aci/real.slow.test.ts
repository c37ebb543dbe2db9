/** A real endorsement of Microsoft's, changed byte by byte: whatever is signed refuses, and nothing is derived from the rest. */
import { readFileSync } from "node:fs";
import { decode } from "cborg";
import { describe, expect, test, vi } from "vitest";
import { azureUvm, parseSevSnpReport, parseUvmEndorsement } from "@blindbox/attestation";
import { EncodingError } from "@blindbox/encoding";
import { skipLine, vectorFiles } from "../../../../conformance/vectors.ts";
import { NOW } from "../vendor.ts";

vi.setConfig({ testTimeout: 60_000 });

const [file] = vectorFiles(["aci/uvm/body.uvm_reference_info.bin"]);
const [reportFile] = vectorFiles(["aci/uvm/snp_report.bin"]);
if (file === undefined || reportFile === undefined) console.log(skipLine("a real endorsement of a utility VM"));
const open = (path: string | undefined): Uint8Array =>
  path === undefined ? new Uint8Array() : new Uint8Array(readFileSync(path));

const bytes = open(file);
const endorser = azureUvm();

/** `accepted`, or how it was refused. */
async function verdict(endorsement: Uint8Array): Promise<string> {
  try {
    const { findings, registers } = await endorser.endorse(endorsement, parseSevSnpReport(open(reportFile)), NOW);
    expect(Object.keys(registers)).toHaveLength(3);
    const failed = findings.find(({ status }) => status !== "passed");
    return failed === undefined ? `accepted ${registers["uvmFeed"]} ${registers["uvmSvn"]}` : failed.check;
  } catch (error) {
    expect(error).toBeInstanceOf(EncodingError);
    return "malformed";
  }
}

/** Where the third party's time stamp is: the one part that nobody signed. */
function timeStamp(): { readonly start: number; readonly end: number } {
  const message = decode(bytes.subarray(1), { useMaps: true, tags: {} }) as readonly [
    unknown,
    ReadonlyMap<string, Uint8Array>,
  ];
  const stamp = message[1].get("timestamp") ?? new Uint8Array();
  const start = Buffer.from(bytes).indexOf(Buffer.from(stamp));
  return { start, end: start + stamp.length };
}

describe.skipIf(file === undefined)("a real endorsement", () => {
  test("is accepted, three years after its signer's certificate ended", async () => {
    expect(await verdict(bytes)).toBe("accepted ContainerPlat-AMD-UVM 22");
    expect(parseUvmEndorsement(bytes).leaf.certificate.notAfter).toBeLessThan(NOW);
  });

  test("with one bit of any byte flipped is refused, but in the time stamp, where it changes nothing", async () => {
    const { start, end } = timeStamp();
    expect(end - start).toBeGreaterThan(5000);
    for (let at = 0; at < bytes.length; at += 1) {
      // The time stamp is passed over as a whole: a few of its bytes stand for all.
      if (at > start + 64 && at < end - 64) continue;
      const found = await verdict(bytes.with(at, (bytes[at] ?? 0) ^ (1 << (at % 8))));
      const isAccepted = found.startsWith("accepted");
      expect([at, isAccepted]).toEqual([at, at >= start && at < end]);
      if (isAccepted) expect(found).toBe("accepted ContainerPlat-AMD-UVM 22");
    }
  });

  test("cut at any length, or with a byte behind it, is refused", async () => {
    for (let length = 0; length < bytes.length; length += 1) {
      expect(await verdict(bytes.subarray(0, length))).toBe("malformed");
    }
    for (let byte = 0; byte < 256; byte += 1) {
      expect(await verdict(Buffer.concat([bytes, Uint8Array.of(byte)]))).toBe("malformed");
    }
  });

  test("64 MiB of anything is refused without being looked at", () => {
    for (const byte of [0x00, 0x84, 0x9f, 0xd2]) {
      expect(() => parseUvmEndorsement(new Uint8Array(64 << 20).fill(byte))).toThrow(EncodingError);
    }
  });
});
