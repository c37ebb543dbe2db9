/** Reports that have not the form of their version. */
import { refused, tampered, written, type RefusalCase } from "./refusal.ts";

/** A byte of every reserved area: first and last. */
const reservedAreas: readonly (readonly [name: string, from: number, to: number, versions: readonly number[]])[] = [
  ["behind key info", 0x4c, 0x4f, [2, 3, 4, 5]],
  ["in the place of CPUID", 0x188, 0x18a, [2]],
  ["behind CPUID", 0x18b, 0x19f, [2, 3, 4, 5]],
  ["behind the current build", 0x1eb, 0x1eb, [2, 3, 4, 5]],
  ["behind the committed build", 0x1ef, 0x1ef, [2, 3, 4, 5]],
  ["in the place of mitigation vectors", 0x1f8, 0x207, [2, 3, 4]],
  ["behind mitigation vectors", 0x208, 0x29f, [2, 3, 4, 5]],
  ["above r", 0x2d0, 0x2e7, [2, 3, 4, 5]],
  ["above s", 0x318, 0x32f, [2, 3, 4, 5]],
  ["behind the signature", 0x330, 0x49f, [2, 3, 4, 5]],
];

function reservedCases(): readonly RefusalCase[] {
  return reservedAreas.flatMap(([name, from, to, versions]) =>
    versions.flatMap((version) =>
      [...new Set([from, Math.floor((from + to) / 2), to])].flatMap((at) =>
        refused("parse: reserved-not-zero", {
          [`version ${version}, reserved byte 0x${at.toString(16)} ${name}`]: { version, ...tampered(at, 1) },
        }),
      ),
    ),
  );
}

export const parseCases: readonly RefusalCase[] = [
  refused("parse: truncated", {
    "one byte less": { evidence: (report) => report.subarray(0, 1183) },
    "nothing at all": { evidence: () => new Uint8Array() },
    "the signed part alone": { evidence: (report) => report.subarray(0, 0x2a0) },
  }),
  refused("parse: bad-length", {
    "one byte more": { evidence: (report) => new Uint8Array([...report, 0]) },
    "twice over": { evidence: (report) => new Uint8Array([...report, ...report]) },
    "in base64": { evidence: (report) => Buffer.from(Buffer.from(report).toString("base64")) },
  }),
  refused("parse: unsupported-version", {
    "version 0": tampered(0, 0, 0, 0, 0),
    "version 1": tampered(0, 1, 0, 0, 0),
    "version 6": tampered(0, 6, 0, 0, 0),
    "version 3 in the upper bytes": tampered(0, 3, 0, 0, 1),
    "the largest version": tampered(0, 255, 255, 255, 255),
  }),
  refused("parse: unsupported-algorithm", {
    "signature algorithm 0": { report: { signatureAlgorithm: 0 } },
    "signature algorithm 2": { report: { signatureAlgorithm: 2 } },
    "the largest signature algorithm": { report: { signatureAlgorithm: 0xff_ff_ff_ff } },
  }),
  refused("parse: reserved-not-zero", {
    "bit 5 of key info": { report: { keyInfo: 1 << 5 } },
    "bit 31 of key info": written(0x4b, 0x80),
  }),
  reservedCases(),
].flat();
