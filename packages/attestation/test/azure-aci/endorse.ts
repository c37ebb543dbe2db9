/** One endorsement judged alone, for a report with a given measurement: which checks did not pass, with which codes. */
import type { Authentication, MeasurementEndorser } from "@blindbox/attestation";
import { EncodingError } from "@blindbox/encoding";
import { azureUvmUnder } from "../../src/azure-aci/endorser.ts";
import { failureOf } from "../../src/evidence-error.ts";
import { parseSevSnpReport } from "../../src/sev-snp/evidence.ts";
import { signedReport, unsignedReport } from "../sev-snp/report.ts";
import { ekKeys, reportFields } from "../sev-snp/vendor.ts";
import { NOW } from "../vendor.ts";
import { fakeIssuers, MEASUREMENT, mintUvm, type UvmChange } from "./vendor.ts";

let shared: MeasurementEndorser | null = null;

/** One endorser for all, so that what it remembers is under test as well. */
export function fakeEndorser(): MeasurementEndorser {
  shared ??= azureUvmUnder(fakeIssuers());
  return shared;
}

/** A report of a utility VM with that measurement. */
export function reportOf(measurement: string = MEASUREMENT) {
  const fields = { ...reportFields("milan", "vcek", 3), measurement: new Uint8Array(Buffer.from(measurement, "hex")) };
  return parseSevSnpReport(signedReport(unsignedReport(fields), ekKeys.privateKey));
}

export function endorsed(
  bytes: Uint8Array,
  endorser: MeasurementEndorser = fakeEndorser(),
  now: number = NOW,
): Promise<Authentication> {
  return endorser.endorse(bytes, reportOf(), now);
}

/** `check subject: code` of whatever did not pass, in order; `parse: code` where the endorsement cannot be read. */
export async function refusalsOf(
  bytes: Uint8Array,
  endorser: MeasurementEndorser = fakeEndorser(),
  now: number = NOW,
): Promise<readonly string[]> {
  try {
    const { findings } = await endorsed(bytes, endorser, now);
    return findings
      .filter(({ status }) => status !== "passed")
      .map(
        ({ check, code, subject }) => `${subject === undefined ? check : `${check} ${subject}`}: ${code ?? "no code"}`,
      );
  } catch (error) {
    if (error instanceof EncodingError) return [`parse: ${failureOf(error)}`];
    throw error;
  }
}

export function refusals(change: UvmChange = {}, now: number = NOW): Promise<readonly string[]> {
  return refusalsOf(mintUvm(change).bytes, fakeEndorser(), now);
}
