/** The machine of Evidence is read as a Verifier reads it: what that refuses is nobody's here either. */
import { describe, expect, test } from "vitest";
import { EncodingError } from "@blindbox/encoding";
import { sevSnpSubject, tdxReportData, tdxSubject } from "@blindbox/attestation/endorsers";
import { mintEvidence as mintAmd } from "../sev-snp/vendor.ts";
import { FMSPC } from "../tdx/intel-texts.ts";
import { chainBytes, rightBody, zeros } from "../tdx/quote.ts";
import { mintEvidence as mintIntel, type IntelChange } from "../tdx/vendor.ts";

const quote = (change: IntelChange = {}): Uint8Array => mintIntel(change).bytes;

describe("a TD quote", () => {
  test.each(["v4", "v5-1.0", "v5-1.5"] as const)("of form %s names platform, CA and report data", (form) => {
    expect(tdxSubject(quote({ form }))).toEqual({ tee: "tdx", fmspc: FMSPC.toLowerCase(), ca: "platform" });
    expect(tdxSubject(quote({ form, authority: "Processor" }))).toMatchObject({ ca: "processor" });
    expect(tdxReportData(quote({ form }))).toEqual(new Uint8Array(rightBody.reportData));
  });

  test("may stand in a longer buffer of zeros, as some hosts hand it over", () => {
    const filled = new Uint8Array([...quote(), ...zeros(70)]);
    expect(tdxSubject(filled)).toMatchObject({ tee: "tdx" });
    expect(tdxReportData(filled)).toHaveLength(64);
    expect(() => tdxSubject(filled.fill(1, -1))).toThrow(EncodingError);
  });

  test.each<[string, IntelChange]>([
    ["another vendor's quoting enclave", { header: { vendor: new Uint8Array(16).fill(1) } }],
    ["a key of another kind", { header: { keyType: 3 } }],
    ["reserved bytes set", { header: { reserved: Uint8Array.of(0, 0, 0, 1) } }],
    ["a chain with two zero bytes behind it", { chain: (...ders) => Buffer.concat([chainBytes(...ders), zeros(2)]) }],
    ["a chain of two", { chain: (leaf, intermediate) => chainBytes(leaf, intermediate) }],
    ["a chain of another CA", { chain: (leaf, _, root) => chainBytes(leaf, root, root) }],
    ["bytes between its parts", { innerLength: (right) => right - 1 }],
  ])("with %s is no machine's", (_name, change) => {
    expect(() => tdxSubject(quote(change))).toThrow(EncodingError);
  });

  test("may have a chain with one zero byte behind it", () => {
    const change: IntelChange = { chain: (...ders) => Buffer.concat([chainBytes(...ders), zeros(1)]) };
    expect(tdxSubject(quote(change))).toEqual(tdxSubject(quote()));
  });
});

describe("an SEV-SNP report", () => {
  test("names product, chip, TCB and key", () => {
    expect(sevSnpSubject(mintAmd({ product: "genoa" }).bytes, null)).toMatchObject({ product: "genoa", key: "vcek" });
    expect(sevSnpSubject(mintAmd({ kind: "vlek" }).bytes, null)).toMatchObject({ product: "milan", key: "vlek" });
  });

  test.each<[string, (report: Uint8Array) => Uint8Array]>([
    ["another algorithm", (report) => report.fill(2, 0x34, 0x35)],
    ["reserved bytes set", (report) => report.fill(1, 0x18c, 0x18d)],
    ["a byte behind its end", (report) => new Uint8Array([...report, 0])],
    ["no key that anybody certifies", (report) => report.fill(7 << 2, 0x48, 0x49)],
    ["a key that is none", (report) => report.fill(2 << 2, 0x48, 0x49)],
  ])("with %s is no machine's", (_name, evidence) => {
    expect(() => sevSnpSubject(mintAmd({ evidence }).bytes, null)).toThrow(EncodingError);
  });
});
