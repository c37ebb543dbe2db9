/** On TDX: the report that the paravisor holds is the one that was quoted. */
import { digest, equalBytes, toHex } from "@blindbox/encoding";
import { compared } from "../findings.ts";
import type { Finding } from "../types.ts";
import type { HclEvidence } from "./evidence.ts";
import type { TdReport } from "./td-report.ts";

/** Report data first: another machine's quote differs in that. Nothing on SEV-SNP, where the report itself is signed. */
export async function compareTdReport({ tdReport, hardware }: HclEvidence): Promise<readonly Finding[]> {
  if (tdReport === null) return [];
  const quoted = hardware.facts;
  // What TDX 1.0 does not quote there is nothing to compare with.
  const added = Object.entries(tdReport.added).filter(([name]) => typeof quoted[name] === "string");
  return [
    compareReportData(tdReport, toHex(hardware.bound)),
    ...[...Object.entries(tdReport.shared), ...added].map(([name, value]) => compareField(name, value, quoted[name])),
    await compareHash("tcbInfoHash", tdReport.tcbInfo, tdReport.tcbInfoHash),
    await compareHash("tdInfoHash", tdReport.tdInfo, tdReport.tdInfoHash),
  ];
}

function compareReportData({ reportData }: TdReport, quoted: string): Finding {
  return compared({
    step: "authenticate",
    check: "td-report",
    subject: "reportData",
    code: "report-data-mismatch",
    holds: reportData === quoted,
    expected: quoted,
    actual: reportData,
    passed: "The quote is of the report that the paravisor holds.",
    failed: "The quote is of another report than the one that the paravisor holds.",
  });
}

function compareField(name: string, actual: string, quoted: unknown): Finding {
  return compared({
    step: "authenticate",
    check: "td-report",
    subject: name,
    code: "measurement-mismatch",
    holds: actual === quoted,
    expected: `${name} ${typeof quoted === "string" ? quoted : "in the quote"}`,
    actual,
    passed: "Quote and report say the same.",
    failed: "Quote and report differ, so they are of two TDs, or the report was changed.",
  });
}

async function compareHash(name: string, bytes: Uint8Array, actual: Uint8Array): Promise<Finding> {
  const expected = await digest("SHA-384", bytes);
  return compared({
    step: "authenticate",
    check: "td-report",
    subject: name,
    code: "measurement-mismatch",
    holds: equalBytes(actual, expected),
    expected: toHex(expected),
    actual: toHex(actual),
    passed: "The report's parts belong together.",
    failed: "The report's parts do not belong together: it was changed.",
  });
}
