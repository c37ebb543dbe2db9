/** AMD as it answered for one real machine of Milan, whose report is `snp/milan-v5-gcp-reportdata.report.bin`. */
import type { VendorFetch } from "@blindbox/attestation/endorsers";
import { formatPem } from "@blindbox/encoding";
import { recorded } from "./recorded.ts";

/** A time at which everything is valid: seconds since 1970. */
export const MILAN_NOW: number = Date.parse("2026-01-15T00:00:00Z") / 1000;

export function milanVendor(): { readonly fetch: VendorFetch; readonly asked: string[] } {
  const chain = ["ask", "ark"].map((name) => formatPem("CERTIFICATE", recorded(`roots/${name}-milan.der`))).join("");
  const answers: Readonly<Record<string, Uint8Array>> = {
    cert_chain: Buffer.from(chain),
    crl: recorded("snp/amd-crl-milan.crl.der"),
    vcek: recorded("snp/milan-v5-gcp-reportdata.vcek.der"),
  };
  const asked: string[] = [];
  return {
    asked,
    fetch: async (url) => {
      const last = new URL(url).pathname.split("/").at(-1) ?? "";
      const name = last in answers ? last : "vcek";
      asked.push(name);
      const body = new Blob([new Uint8Array(answers[name] ?? [])]).stream();
      return { status: 200, redirected: false, headers: new Headers(), body };
    },
  };
}
