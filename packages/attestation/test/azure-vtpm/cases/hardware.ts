/** What is wrong below the virtual TPM, in its Endorsements, or by the policy. */
import { rightBody } from "../../tdx/quote.ts";
import { NOW } from "../../vendor.ts";
import { policyWith, refused, type RefusalCase } from "../appraise.ts";
import { mintEvidence, type AzureChange } from "../vendor.ts";

const onTdx = (change: AzureChange): AzureChange => ({ on: "tdx", ...change });
const flipped = (bytes: Uint8Array): Uint8Array => bytes.with(0, (bytes[0] ?? 0) ^ 1);
const hashes = { tcbInfoHash: new Uint8Array(48), tdInfoHash: new Uint8Array(48) };

export const belowCases: readonly RefusalCase[] = [
  ...refused("evidence-signature: bad-signature", {
    "a report of SEV-SNP changed": { amd: { evidence: (report) => report.with(0x90, 0) } },
    "a report of SEV-SNP of another chip's key": { amd: { evidence: (report) => report.with(0x2a5, 1) } },
  }),
  ...refused("certificate-validity (ek): expired", {
    "an expired VCEK": { amd: { ekCertificate: { notAfter: NOW - 1 } } },
  }),
  ...refused("debug: debug-enabled", {
    "a paravisor under debug": { amd: { report: { policy: 0xb0000n } } },
    "a TD under debug": onTdx({
      intel: { body: { tdAttributes: Uint8Array.of(1, 0, 0, 0x10, 0, 0, 0, 0) } },
      tdReport: { tdAttributes: Uint8Array.of(1, 0, 0, 0x10, 0, 0, 0, 0) },
    }),
  }),
  ...refused("tcb (bootloader): tcb-below-minimum", {
    "an old TCB at launch": { amd: { report: { launchTcb: [3, 0, 0, 0, 0, 0, 0x18, 0xdb] } } },
  }),
];

export const tdReportCases: readonly RefusalCase[] = [
  ...refused("td-report (reportData): report-data-mismatch", {
    "report data of another": onTdx({ tdReport: { reportData: new Uint8Array(64) } }),
    "report data with a tail": onTdx({ tdReport: { reportData: rightBody.reportData } }),
  }),
  ...refused(["td-report (reportData): report-data-mismatch", "hcl-binding: var-data-mismatch"], {
    "a quote of other report data": onTdx({ intel: { body: { reportData: new Uint8Array(64).fill(4) } } }),
  }),
  ...(
    [
      "teeTcbSvn",
      "mrseam",
      "mrsignerseam",
      "seamAttributes",
      "tdAttributes",
      "xfam",
      "mrtd",
      "mrconfigid",
      "mrowner",
      "mrownerconfig",
    ] as const
  ).flatMap((field) =>
    refused(`td-report (${field}): measurement-mismatch`, {
      [`another ${field}`]: onTdx({ tdReport: { [field]: flipped(rightBody[field]) } }),
    }),
  ),
  ...[0, 1, 2, 3].flatMap((number) =>
    refused(`td-report (rtmr${number}): measurement-mismatch`, {
      [`another RTMR ${number}`]: onTdx({
        tdReport: { rtmrs: rightBody.rtmrs.with(48 * number, (rightBody.rtmrs[48 * number] ?? 0) ^ 1) },
      }),
    }),
  ),
  ...refused("td-report (teeTcbSvn2): measurement-mismatch", {
    "another running module": onTdx({
      intel: { form: "v5-1.5" },
      tdReport: { teeTcbSvn2: flipped(rightBody.teeTcbSvn2) },
    }),
  }),
  ...refused("td-report (mrservicetd): measurement-mismatch", {
    "other service TDs": onTdx({
      intel: { form: "v5-1.5" },
      tdReport: { mrservicetd: flipped(rightBody.mrservicetd) },
    }),
  }),
  ...refused("td-report (tcbInfoHash): measurement-mismatch", {
    "another hash over the module": onTdx({ tdReport: { tcbInfoHash: hashes.tcbInfoHash } }),
  }),
  ...refused("td-report (tdInfoHash): measurement-mismatch", {
    "another hash over the TD": onTdx({ tdReport: { tdInfoHash: hashes.tdInfoHash } }),
  }),
  ...refused("parse: wrong-tee-type", { "type 0": onTdx({ tdReport: { type: Uint8Array.of(0, 0, 0, 0) } }) }),
  ...refused("parse: unsupported-version", {
    "version 2": onTdx({ tdReport: { type: Uint8Array.of(0x81, 0, 2, 0) } }),
  }),
  ...refused("parse: reserved-not-zero", {
    "a subtype": onTdx({ tdReport: { type: Uint8Array.of(0x81, 1, 0, 0) } }),
    "a reserved byte of the type": onTdx({ tdReport: { type: Uint8Array.of(0x81, 0, 0, 1) } }),
    "a reserved byte": onTdx({ tdReport: { reserved: new Uint8Array(12).with(5, 1) } }),
    "a reserved byte behind the report data": onTdx({ tdReport: { reservedBehind: new Uint8Array(32).with(31, 1) } }),
    "a reserved byte of the module": onTdx({ tdReport: { tcbInfoReserved: new Uint8Array(95).with(94, 1) } }),
    "a reserved byte between": onTdx({ tdReport: { between: new Uint8Array(17).with(0, 1) } }),
    "a reserved byte of the TD": onTdx({ tdReport: { tdInfoReserved: new Uint8Array(64).with(63, 1) } }),
  }),
];

const nothingBelow = ["evidence-signature skipped", "hardware-checks: missing-endorsement"];
const bad = "endorsements-form: bad-encoding";

export const endorsementCases: readonly RefusalCase[] = [
  // The place of the hardware's own is missing, so the hardware is given none, and says so.
  ...refused([bad, bad, ...nothingBelow], {
    null: { endorsements: () => null },
    "a list": { endorsements: () => [] },
    "a member more": { endorsements: (right) => ({ ...right, more: null }) },
    "no place for the hardware's": { endorsements: ({ hardware }) => hardware },
  }),
  ...refused([bad, ...nothingBelow], {
    "those of the other hardware": { endorsements: () => mintEvidence({ on: "tdx" }).endorsements },
    "null in the hardware's place": { endorsements: () => ({ hardware: null }) },
  }),
  ...refused(["endorsements-form: missing-endorsement", ...nothingBelow], {
    "no certificate": { endorsements: ({ hardware }) => ({ hardware: { ...(hardware as object), ek: null } }) },
  }),
];

export const machineCases: readonly RefusalCase[] = [
  ...refused("secure-boot: vm-configuration-mismatch", {
    "Secure Boot off": machine({ "secure-boot": false }),
    "Secure Boot not said": machine({ "secure-boot": undefined }),
  }),
  ...refused(
    "serial-console: vm-configuration-mismatch",
    { "a console": {}, "a console not said": machine({ "console-enabled": undefined }) },
    policyWith({ console: "forbid" }),
  ),
];

/** What is undefined is left out of the text. */
export function machine(change: Readonly<Record<string, unknown>>): AzureChange {
  return {
    runtimeData: (right) => ({ ...right, "vm-configuration": { ...right["vm-configuration"], ...change } }),
  };
}
