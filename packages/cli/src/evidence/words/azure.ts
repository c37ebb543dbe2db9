/** Evidence of an Azure confidential VM in words: the paravisor's HCL report, the hardware below, the virtual TPM's quote. */
import { createHash } from "node:crypto";
import {
  parseHclReport,
  parseRuntimeData,
  parseTdReportStructure,
  type HclReport,
  type RuntimeData,
} from "@blindbox/attestation";
import { toHex } from "@blindbox/encoding";
import type { Inspection, SectionWords, Show } from "../inspection.ts";
import { sectionsOf } from "../inspection.ts";
import { inspectSevSnpReport } from "./sev-snp.ts";
import { inspectTdQuote, tdSectionsOf } from "./tdx.ts";
import { inspectTpmQuote } from "./tpm.ts";
import { abridged, line, named, unlessZero, words } from "./values.ts";

/** The parts that are found beside one another; `null` is what is not there. */
export interface AzureParts {
  readonly hclReport: Uint8Array;
  readonly tdQuote: Uint8Array | null;
  readonly quote: Uint8Array | null;
  readonly pcrs: readonly (string | null)[];
}

/** Everything that the parts say. @throws EncodingError where one of them is not what it has to be. */
export function inspectAzure({ hclReport, tdQuote, quote, pcrs }: AzureParts): Inspection {
  const report = parseHclReport(hclReport);
  const data = parseRuntimeData(report.runtimeData);
  return {
    kind: "azure-hcl",
    title: `Evidence of an Azure confidential VM on ${report.reportType === "snp" ? "AMD SEV-SNP" : "Intel TDX"}`,
    sections: sectionsOf({ ...factsOf(report, data), parts: partsOf(report, tdQuote, quote) }, [
      hclWords,
      machineWords,
    ]),
    inside: [
      hardware(report),
      ...(tdQuote === null ? [] : [inspectTdQuote(tdQuote)]),
      ...(quote === null ? [] : [inspectTpmQuote(quote, pcrs)]),
    ],
  };
}

function hardware({ reportType, hardwareReport }: HclReport): Inspection {
  return reportType === "snp" ? inspectSevSnpReport(hardwareReport) : inspectTdReport(hardwareReport);
}

/** A TDREPORT alone proves nothing away from its machine. @throws EncodingError where it is none. */
function inspectTdReport(bytes: Uint8Array): Inspection {
  const { reportData, shared, added } = parseTdReportStructure(bytes);
  return {
    kind: "td-report",
    title: "Intel TDREPORT, which only its own machine can check: it counts where a TD quote says the same",
    sections: tdSectionsOf({ reportData, ...shared, ...added }),
    inside: [],
  };
}

function partsOf({ reportType }: HclReport, tdQuote: Uint8Array | null, quote: Uint8Array | null): string[] {
  const missing = [
    ...(reportType === "tdx" && tdQuote === null ? ["no TD quote: nothing makes the TDREPORT verifiable"] : []),
    ...(quote === null ? ["no TPM quote: nothing in it is fresh, and no PCR is attested"] : []),
  ];
  return missing.length === 0 ? ["complete"] : missing;
}

function factsOf(report: HclReport, data: RuntimeData) {
  return {
    hclVersion: report.version,
    hclReportType: report.reportType,
    hclHash: report.hash,
    runtimeDataHash: createHash(report.hash.replace("-", "").toLowerCase()).update(report.runtimeData).digest("hex"),
    akModulus: toHex(data.attestationKey.modulus),
    akOperations: [...data.keyOperations],
    userData: data.userData,
    secureBoot: data.secureBoot,
    consoleEnabled: data.consoleEnabled,
    vmConfiguration: data.configuration,
  };
}

const parts: Show = (value) =>
  (Array.isArray(value) ? value : []).map((part) => line(String(part), part === "complete" ? "good" : "careful"));

const hclWords: SectionWords = {
  title: "the HCL report, which Microsoft's paravisor keeps in the virtual TPM",
  rows: [
    ["parts", "parts", "What a verifier needs beside this report.", parts],
    ["hclVersion", "version", "Of the header, which nothing authenticates."],
    [
      "hclReportType",
      "hardware",
      "What made the report inside.",
      named({ snp: line("AMD SEV-SNP"), tdx: line("Intel TDX") }),
    ],
    ["hclHash", "hash", "By which the hardware's report data hold the runtime data below."],
    [
      "runtimeDataHash",
      "runtime data",
      "Hash of the exact bytes that name key and configuration: REPORT_DATA of the hardware has to begin with it.",
    ],
    [
      "akModulus",
      "attestation key",
      "RSA modulus of the key (HCLAkPub) that signs the virtual TPM's quotes. The hardware vouches for it by the hash.",
      abridged,
    ],
    ["akOperations", "key is for", "Has to be `sign` alone.", words],
    [
      "userData",
      "user data",
      "64 bytes that the machine had put into the report.",
      (value) => (value === null ? [line("no such field")] : unlessZero("none")(value, {})),
    ],
  ],
};

const serialConsole: Show = (value) =>
  value === true
    ? [line("on: whoever operates the machine sees it and may type into it", "careful")]
    : [line(value === false ? "off" : "not said")];

const secureBoot: Show = (value) =>
  value === true
    ? [line("on", "good")]
    : [line(value === false ? "off: the firmware starts whatever it is given" : "not said", "careful")];

const configuration: Show = (value) =>
  typeof value === "object" && value !== null
    ? Object.entries(value).map(([name, each]) => line(`${name}: ${JSON.stringify(each)}`))
    : [line("none")];

const machineWords: SectionWords = {
  title: "the machine, as the paravisor says",
  rows: [
    ["secureBoot", "Secure Boot", "Whether the firmware refuses what its key list does not name.", secureBoot],
    ["consoleEnabled", "serial console", "Whether a console leads into the machine.", serialConsole],
    ["vmConfiguration", "configuration", "All that it says of the machine.", configuration],
  ],
};
