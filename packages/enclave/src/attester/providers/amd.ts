/** What a report of SEV-SNP needs beside it, whichever way it was asked for. */
import {
  type AmdProduct,
  amdProductOf,
  type CertificateTable,
  parseCertificateTable,
  sevSnpSubject,
} from "@blindbox/attestation/endorsers";
import { EncodingError } from "@blindbox/encoding";
import { demandBinding } from "./binding-check.ts";
import type { DeviceReading } from "./device.ts";

/** Reports of this version do not name the processor; later ones do. */
const versionWithoutProduct = 2;
const reportDataOffset = 0x50;

/** Which of AMD's processors this machine says it has; null where that is not known. Only names whom to ask. */
export type ReadProduct = () => Promise<AmdProduct | null>;

/**
 * The reading of a report and the table of certificates that the host handed over with it, which may be anything.
 *
 * @throws EncodingError, EndorserError for what is no report; DeviceFault where it holds another binding.
 */
export async function snpReading(
  report: Uint8Array,
  table: Uint8Array,
  binding: Uint8Array,
  readProduct: ReadProduct,
): Promise<DeviceReading> {
  const subject = await snpSubject(report, readProduct);
  demandBinding(report, reportDataOffset, binding);
  const { vcek, vlek } = certificatesIn(table);
  return { evidence: report, subject, given: { ek: subject.key === "vlek" ? vlek : vcek, uvm: null } };
}

/** The machine of a report. @throws EncodingError, EndorserError */
export async function snpSubject(
  report: Uint8Array,
  readProduct: ReadProduct,
): Promise<ReturnType<typeof sevSnpSubject>> {
  return sevSnpSubject(report, report[0] === versionWithoutProduct ? await readProduct() : null);
}

// A host that hands over rubbish is one that hands over nothing: AMD is asked then.
function certificatesIn(table: Uint8Array): Pick<CertificateTable, "vcek" | "vlek"> {
  try {
    return parseCertificateTable(table);
  } catch (error) {
    if (error instanceof EncodingError) return { vcek: null, vlek: null };
    throw error;
  }
}

/** The product in the text of /proc/cpuinfo; null for any other processor. */
export function productInCpuinfo(cpuinfo: string): AmdProduct | null {
  const vendor = /^vendor_id\s*:\s*(\w+)$/m.exec(cpuinfo)?.[1];
  const family = Number(/^cpu family\s*:\s*(\d+)$/m.exec(cpuinfo)?.[1]);
  const model = Number(/^model\s*:\s*(\d+)$/m.exec(cpuinfo)?.[1]);
  return vendor === "AuthenticAMD" ? amdProductOf(family, model) : null;
}
