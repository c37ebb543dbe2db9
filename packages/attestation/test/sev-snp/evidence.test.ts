/** The reader of reports on its own: any bytes are read or refused, and what is read is what was written. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { EncodingError } from "@blindbox/encoding";
import { parseSevSnpReport } from "@blindbox/attestation";
import { signedReport, unsignedReport, type ReportFields, type Tcb } from "./report.ts";
import { ekKeys, MA_NONE, reportFields } from "./vendor.ts";

const right = signedReport(unsignedReport(reportFields("milan", "vcek", 5)), ekKeys.privateKey);

const bytesOf = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const tcb = bytesOf(8).map((bytes) => [...bytes] as unknown as Tcb);
const u32 = fc.nat({ max: 0xff_ff_ff_ff });
const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });

const reports: fc.Arbitrary<ReportFields> = fc.record({
  version: fc.integer({ min: 2, max: 5 }),
  guestSvn: u32,
  policy: u64,
  vmpl: u32,
  signatureAlgorithm: fc.constant(1),
  currentTcb: tcb,
  platformInfo: u64,
  keyInfo: fc.nat({ max: 31 }),
  reportData: bytesOf(64),
  measurement: bytesOf(48),
  hostData: bytesOf(32),
  idKeyDigest: bytesOf(48),
  authorKeyDigest: bytesOf(48),
  reportIdMa: fc.constantFrom(MA_NONE, new Uint8Array(32)),
  reportedTcb: tcb,
  cpuid: bytesOf(3).map(([family = 0, model = 0, stepping = 0]) => [family, model, stepping] as const),
  chipId: bytesOf(64),
  committedTcb: tcb,
  launchTcb: tcb,
  mitigations: u64,
});

const signingKeys = ["vcek", "vlek", "reserved", "reserved", "reserved", "reserved", "reserved", "none"];

test("every field is read from where AMD's table has it", () => {
  fc.assert(
    fc.property(reports, (fields) => {
      const { keyInfo, cpuid, mitigations, signatureAlgorithm: _algorithm, ...same } = fields;
      const [family, model, stepping] = cpuid;
      const read = parseSevSnpReport(unsignedReport(fields));
      const plain = Object.fromEntries(
        Object.entries(read).map(([name, value]) => [name, value instanceof Uint8Array ? [...value] : value]),
      );
      const expected = Object.entries(same).map(([name, value]) => [
        name,
        value instanceof Uint8Array ? [...value] : value,
      ]);
      expect(plain).toMatchObject(Object.fromEntries(expected) as object);
      expect(read.signingKey).toBe(signingKeys[keyInfo >> 2]);
      expect(read.authorKeyEnabled).toBe((keyInfo & 1) === 1);
      expect(read.chipKeyMasked).toBe((keyInfo & 2) === 2);
      expect(read.cpuid).toEqual(fields.version === 2 ? null : { family, model, stepping });
      expect(read.mitigations).toEqual(fields.version === 5 ? { launch: mitigations, current: mitigations } : null);
      expect(read.currentBuild).toEqual({ build: 29, minor: 55, major: 1 });
    }),
  );
});

test("any bytes at all are read or refused, never anything else", () => {
  const edits = fc.array(fc.tuple(fc.nat({ max: 1183 }), fc.nat({ max: 255 })), { maxLength: 8 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1300 }), bytesOf(1184), edits, (noise, full, changes) => {
      const mutant = changes.reduce((bytes, [at, byte]) => bytes.with(at, byte), right);
      for (const bytes of [noise, full, mutant]) {
        try {
          const { signed, signature } = parseSevSnpReport(bytes);
          expect([signed.length, signature.length]).toEqual([0x2a0, 96]);
        } catch (error) {
          expect(error).toBeInstanceOf(EncodingError);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test("every byte of the report is read, signed or reserved: none may be changed unnoticed", () => {
  const before = JSON.stringify(parts(right));
  for (const at of right.keys()) {
    const mutant = right.with(at, (right[at] ?? 0) ^ 0x40);
    let after: string;
    try {
      after = JSON.stringify(parts(mutant));
    } catch (error) {
      expect(error).toBeInstanceOf(EncodingError);
      continue;
    }
    expect([at, after === before]).toEqual([at, false]);
  }
});

function parts(bytes: Uint8Array): unknown {
  const { signed, signature } = parseSevSnpReport(bytes);
  return [[...signed], [...signature]];
}

test("what the caller does to its bytes afterwards changes nothing", () => {
  const bytes = right.slice();
  const report = parseSevSnpReport(bytes);
  bytes.fill(0);
  expect([...report.measurement]).toEqual([...right.subarray(0x90, 0xc0)]);
  expect([...report.signed]).toEqual([...right.subarray(0, 0x2a0)]);
});

test("64 MiB are refused by their length alone", () => {
  expect(() => parseSevSnpReport(new Uint8Array(64 * 1024 * 1024))).toThrow(/1184 bytes/);
});
