/** Parse: the bytes of an attestation report (AMD 56860, MSG_REPORT_RSP) to a typed record. No trust. */
import { ByteReader, concatBytes } from "@blindbox/encoding";
import { EvidenceError } from "../evidence-error.ts";
import type { Cpuid } from "./products.ts";

/** Length of every version of the report. */
export const REPORT_LENGTH = 1184;
const signedLength = 0x2a0;

const oldestVersion = 2;
const newestVersion = 5;
const firstVersionWithCpuid = 3;
const firstVersionWithMitigations = 5;
const ecdsaP384WithSha384 = 1;

/** Which key the firmware says that it signed with; `none` and `reserved` prove nothing. */
export type SigningKey = "vcek" | "vlek" | "none" | "reserved";

/** Version of the firmware. */
export interface FirmwareBuild {
  readonly build: number;
  readonly minor: number;
  readonly major: number;
}

/** A report as it stands. TCB versions are the 8 bytes in the report's order: the product says what each means. */
export interface SevSnpReport {
  readonly version: number;
  readonly guestSvn: number;
  readonly policy: bigint;
  readonly familyId: Uint8Array;
  readonly imageId: Uint8Array;
  readonly vmpl: number;
  readonly currentTcb: Uint8Array;
  readonly platformInfo: bigint;
  readonly authorKeyEnabled: boolean;
  readonly chipKeyMasked: boolean;
  readonly signingKey: SigningKey;
  readonly reportData: Uint8Array;
  readonly measurement: Uint8Array;
  readonly hostData: Uint8Array;
  readonly idKeyDigest: Uint8Array;
  readonly authorKeyDigest: Uint8Array;
  readonly reportId: Uint8Array;
  readonly reportIdMa: Uint8Array;
  readonly reportedTcb: Uint8Array;
  /** `null` in version 2, which does not say it. */
  readonly cpuid: Cpuid | null;
  readonly chipId: Uint8Array;
  readonly committedTcb: Uint8Array;
  readonly currentBuild: FirmwareBuild;
  readonly committedBuild: FirmwareBuild;
  readonly launchTcb: Uint8Array;
  /** `null` before version 5. */
  readonly mitigations: { readonly launch: bigint; readonly current: bigint } | null;
  /** The bytes that were signed. */
  readonly signed: Uint8Array;
  /** r and s, big-endian, 48 bytes each. */
  readonly signature: Uint8Array;
}

/**
 * Reads a report of version 2 to 5. Checks its form only: the signature is not verified here.
 *
 * @throws EvidenceError for another length, version or signature algorithm; EncodingError `reserved-not-zero` for any reserved
 * byte that is set, those behind the signature and in the upper halves of r and s as well.
 */
export function parseSevSnpReport(bytes: Uint8Array): SevSnpReport {
  expectLength(bytes);
  // A copy: what the caller does to its bytes later must not change what is verified.
  const report = new Uint8Array(bytes);
  const reader = new ByteReader(report, "report");
  const version = readVersion(reader);
  const read = {
    version,
    ...readGuest(reader),
    ...readPlatform(reader),
    ...readMeasured(reader),
    ...readChip(reader, version),
    ...readFirmware(reader, version),
    signature: readSignature(reader),
    signed: report.subarray(0, signedLength),
  };
  reader.end();
  return read;
}

function expectLength({ length }: Uint8Array): void {
  if (length === REPORT_LENGTH) return;
  const failure = length < REPORT_LENGTH ? "truncated" : "bad-length";
  throw new EvidenceError(failure, "report", `${REPORT_LENGTH} bytes`, `${length} bytes`);
}

function readVersion(reader: ByteReader): number {
  const version = reader.u32le("version");
  if (oldestVersion <= version && version <= newestVersion) return version;
  throw new EvidenceError(
    "unsupported-version",
    "report.version",
    `${oldestVersion} to ${newestVersion}`,
    `${version}`,
  );
}

function readGuest(reader: ByteReader) {
  const guest = {
    guestSvn: reader.u32le("guestSvn"),
    policy: reader.u64le("policy"),
    familyId: reader.bytes(16, "familyId"),
    imageId: reader.bytes(16, "imageId"),
    vmpl: reader.u32le("vmpl"),
  };
  const algorithm = reader.u32le("signatureAlgorithm");
  if (algorithm === ecdsaP384WithSha384) return guest;
  throw new EvidenceError(
    "unsupported-algorithm",
    "report.signatureAlgorithm",
    `${ecdsaP384WithSha384}`,
    `${algorithm}`,
  );
}

const signingKeys: ReadonlyMap<number, SigningKey> = new Map([
  [0, "vcek"],
  [1, "vlek"],
  [7, "none"],
]);

function readPlatform(reader: ByteReader) {
  const currentTcb = reader.bytes(8, "currentTcb");
  const platformInfo = reader.u64le("platformInfo");
  const keyInfo = reader.u32le("keyInfo");
  if (keyInfo >>> 5 !== 0) {
    throw new EvidenceError("reserved-not-zero", "report.keyInfo", "bits 5 to 31 zero", "one of them set");
  }
  reader.mustBeZero(4, "reserved");
  return {
    currentTcb,
    platformInfo,
    authorKeyEnabled: (keyInfo & 1) === 1,
    chipKeyMasked: (keyInfo & 2) === 2,
    signingKey: signingKeys.get((keyInfo >>> 2) & 7) ?? "reserved",
  };
}

function readMeasured(reader: ByteReader) {
  return {
    reportData: reader.bytes(64, "reportData"),
    measurement: reader.bytes(48, "measurement"),
    hostData: reader.bytes(32, "hostData"),
    idKeyDigest: reader.bytes(48, "idKeyDigest"),
    authorKeyDigest: reader.bytes(48, "authorKeyDigest"),
    reportId: reader.bytes(32, "reportId"),
    reportIdMa: reader.bytes(32, "reportIdMa"),
  };
}

function readChip(reader: ByteReader, version: number) {
  const reportedTcb = reader.bytes(8, "reportedTcb");
  const cpuid = version < firstVersionWithCpuid ? null : readCpuid(reader);
  reader.mustBeZero(cpuid === null ? 24 : 21, "reserved");
  return { reportedTcb, cpuid, chipId: reader.bytes(64, "chipId") };
}

function readCpuid(reader: ByteReader): Cpuid {
  return { family: reader.u8("family"), model: reader.u8("model"), stepping: reader.u8("stepping") };
}

function readFirmware(reader: ByteReader, version: number) {
  const firmware = {
    committedTcb: reader.bytes(8, "committedTcb"),
    currentBuild: readBuild(reader),
    committedBuild: readBuild(reader),
    launchTcb: reader.bytes(8, "launchTcb"),
  };
  const hasMitigations = version >= firstVersionWithMitigations;
  const mitigations = hasMitigations
    ? { launch: reader.u64le("launchMitVector"), current: reader.u64le("currentMitVector") }
    : null;
  reader.mustBeZero(hasMitigations ? 152 : 168, "reserved");
  return { ...firmware, mitigations };
}

function readBuild(reader: ByteReader): FirmwareBuild {
  const build = { build: reader.u8("build"), minor: reader.u8("minor"), major: reader.u8("major") };
  reader.mustBeZero(1, "reserved");
  return build;
}

// Little-endian in 72 bytes each, where a scalar of P-384 takes 48.
function readSignature(reader: ByteReader): Uint8Array {
  const r = readScalar(reader, "r");
  const s = readScalar(reader, "s");
  reader.mustBeZero(368, "reserved");
  return concatBytes(r, s);
}

function readScalar(reader: ByteReader, field: string): Uint8Array {
  const scalar = reader.bytes(48, field).toReversed();
  reader.mustBeZero(24, field);
  return scalar;
}
