/** Evidence of real machines, where the vectors are there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { skipLine, vectorsFolder } from "../../../../conformance/vectors.ts";

const folder = vectorsFolder();
if (folder === null) console.log(skipLine("devices that replay recorded Evidence"));

export const noVectors: boolean = folder === null;

export function recorded(file: string): Uint8Array {
  return new Uint8Array(readFileSync(join(folder ?? "", file)));
}

/** What a report of SEV-SNP was asked to sign. */
export function snpBinding(report: Uint8Array): Uint8Array {
  return report.slice(0x50, 0x90);
}

/** What a TD quote was asked to sign. */
export function tdxBinding(quote: Uint8Array): Uint8Array {
  const body = quote[0] === 5 ? 54 : 48;
  return quote.slice(body + 520, body + 584);
}

const guids: Readonly<Record<string, string>> = {
  vcek: "63da758de6644564adc5f4b93be8accd",
  vlek: "a8074bc2a25a483eaae639c045a0b8a1",
};

/** The table in which a host hands over one certificate. */
export function certificateTable(kind: "vcek" | "vlek", certificate: Uint8Array): Uint8Array {
  const table = Buffer.alloc(48 + certificate.length);
  table.write(guids[kind] ?? "", "hex");
  table.writeUInt32LE(48, 16);
  table.writeUInt32LE(certificate.length, 20);
  table.set(certificate, 48);
  return new Uint8Array(table);
}

/** What firmware answers to a request for a report, as /dev/sev-guest hands it on. */
export function reportResponse(report: Uint8Array, status = 0, length = report.length): Uint8Array {
  const response = Buffer.alloc(4000);
  response.writeUInt32LE(status, 0);
  response.writeUInt32LE(length, 4);
  response.set(report, 32);
  return new Uint8Array(response);
}
