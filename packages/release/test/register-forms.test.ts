/** What a register of a release may be: bytes in hex, or for an endorsed utility VM names and a number. */
import { EncodingError } from "@blindbox/encoding";
import { formatRelease, parseRelease, type Release } from "@blindbox/release";
import { describe, expect, it } from "vitest";

const sha = (letter: string): string => `sha256:${letter.repeat(64)}`;

const aci = {
  hostData: "33".repeat(32),
  uvmFeed: "ContainerPlat-AMD-UVM",
  uvmIssuer: "did:x509:0:sha256:I__iuL25oXEVFdTP_aBLx_eT1RPHbCQ_ECBQfYZpt9s::eku:1.3.6.1.4.1.311.76.59.1.2",
  uvmSvn: "104",
};

function releaseWith(registers: Readonly<Record<string, string>>): Release {
  return {
    type: "blindbox-release/1",
    product: "transcriber",
    channel: "stable",
    version: "1.0.0",
    sequence: 0,
    runtime: { type: "blindbox-runtime/1", version: "0.1.0", tee: "sev-snp", bundle: sha("1"), node: sha("2") },
    app: { image: sha("3") },
    manifest: sha("4"),
    referenceValues: [{ tee: "sev-snp", registers }],
    previous: null,
  };
}

function refusedField(change: Readonly<Record<string, string>>): string {
  try {
    parseRelease(formatRelease(releaseWith({ ...aci, ...change })));
    return "accepted";
  } catch (error) {
    expect(error).toBeInstanceOf(EncodingError);
    return (error as EncodingError).field.replace("referenceValues[0].registers.", "");
  }
}

describe("the registers of a container group of Azure's", () => {
  it("come back the same", () => {
    expect(parseRelease(formatRelease(releaseWith(aci))).referenceValues).toEqual([{ tee: "sev-snp", registers: aci }]);
    expect(refusedField({ uvmSvn: "0", uvmFeed: "x", uvmIssuer: "~".repeat(256) })).toBe("accepted");
    expect(refusedField({ uvmSvn: "9".repeat(15) })).toBe("accepted");
  });

  it.each(["", "a b", "a\tb", "\u001b[31m", "é", "x".repeat(257)])(
    "are names of visible ASCII: %j is none",
    (value) => {
      expect(refusedField({ uvmIssuer: value })).toBe("uvmIssuer");
      expect(refusedField({ uvmFeed: value })).toBe("uvmFeed");
    },
  );

  it.each(["", "01", "00", "-1", "+1", "1.0", "1e2", "0x10", " 1", "1 ", "ff", "9".repeat(16)])(
    "hold a security version in decimal: %j is none",
    (value) => {
      expect(refusedField({ uvmSvn: value })).toBe("uvmSvn");
    },
  );

  it("are bytes in hex where they are no names", () => {
    for (const value of ["ContainerPlat-AMD-UVM", "104", "AB", ""]) {
      expect(refusedField({ hostData: value })).toBe("hostData");
      expect(refusedField({ Uvm: value })).toBe("Uvm");
    }
  });
});
