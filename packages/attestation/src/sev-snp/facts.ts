/** What a report says, by name: the registers of a tuple, and every field. */
import { toHex, type JsonValue } from "@blindbox/encoding";
import { guestPolicyOf, platformInfoOf } from "./bits.ts";
import type { FirmwareBuild, SevSnpReport } from "./evidence.ts";
import { cpuOf, type Cpuid } from "./products.ts";

/** The registers of a tuple of Reference Values. */
export function registersOf({ measurement, hostData, policy, vmpl }: SevSnpReport): Readonly<Record<string, string>> {
  return {
    measurement: toHex(measurement),
    hostData: toHex(hostData),
    policy: hexOf(policy),
    vmpl: vmpl.toString(16).padStart(8, "0"),
  };
}

/** Every field. Numbers of 64 bits are 16 hex digits, TCB versions the 8 bytes in the report's order. */
export function factsOf(report: SevSnpReport): Readonly<Record<string, JsonValue>> {
  return { ...identity(report), ...launch(report), ...platform(report), ...product(report) };
}

function identity(report: SevSnpReport): Readonly<Record<string, JsonValue>> {
  return {
    version: report.version,
    signingKey: report.signingKey,
    authorKeyEnabled: report.authorKeyEnabled,
    chipKeyMasked: report.chipKeyMasked,
    reportData: toHex(report.reportData),
    reportId: toHex(report.reportId),
    reportIdMa: toHex(report.reportIdMa),
    chipId: toHex(report.chipId),
  };
}

function launch(report: SevSnpReport): Readonly<Record<string, JsonValue>> {
  const { abiMajor, abiMinor, features } = guestPolicyOf(report.policy);
  return {
    guestSvn: report.guestSvn,
    familyId: toHex(report.familyId),
    imageId: toHex(report.imageId),
    vmpl: report.vmpl,
    policy: hexOf(report.policy),
    policyAbi: `${abiMajor}.${abiMinor}`,
    policyFeatures: [...features],
    measurement: toHex(report.measurement),
    hostData: toHex(report.hostData),
    idKeyDigest: toHex(report.idKeyDigest),
    authorKeyDigest: toHex(report.authorKeyDigest),
  };
}

function platform(report: SevSnpReport): Readonly<Record<string, JsonValue>> {
  const { mitigations } = report;
  return {
    platformInfo: hexOf(report.platformInfo),
    platformFeatures: [...platformInfoOf(report.platformInfo).features],
    currentTcb: toHex(report.currentTcb),
    reportedTcb: toHex(report.reportedTcb),
    committedTcb: toHex(report.committedTcb),
    launchTcb: toHex(report.launchTcb),
    currentBuild: buildText(report.currentBuild),
    committedBuild: buildText(report.committedBuild),
    ...(mitigations === null
      ? {}
      : { launchMitVector: hexOf(mitigations.launch), currentMitVector: hexOf(mitigations.current) }),
  };
}

/** Version 2 does not say it: there it is the certificates' to tell. */
function product({ cpuid }: SevSnpReport): Readonly<Record<string, JsonValue>> {
  if (cpuid === null) return {};
  const cpu = cpuOf(cpuid);
  return { cpuid: cpuidText(cpuid), ...(cpu === null ? {} : { product: cpu.line, cpu: cpu.product }) };
}

function cpuidText({ family, model, stepping }: Cpuid): string {
  return toHex(Uint8Array.of(family, model, stepping));
}

function buildText({ major, minor, build }: FirmwareBuild): string {
  return `${major}.${minor}.${build}`;
}

function hexOf(value: bigint): string {
  return value.toString(16).padStart(16, "0");
}
