/** Faults of other verifiers, by the place where they were reported: none of them is ours. */
import { describe, expect, test } from "vitest";
import { refusals, fakeTee, refusalsOf } from "./appraise.ts";
import { chipIdOf, mintEvidence, pinnedArk, products, type AmdEndorsements } from "./vendor.ts";
import { base64url, NOW, revokedList } from "../vendor.ts";
import { strictPolicy } from "@blindbox/attestation";

test("virtee/snpguest#159: the HWID check runs, for every product", async () => {
  for (const product of ["milan", "genoa", "turin"] as const) {
    const other = chipIdOf(product).with(3, 0);
    expect(await refusals({ product, ek: { hwid: other } })).toEqual(["chip-id: hwid-mismatch"]);
  }
});

test("virtee/snpguest#159: a name that contains `sev` makes no certificate an issuer's, nor an issuer a key", async () => {
  const { bytes, endorsements, issuer } = mintEvidence();
  const right = endorsements as { readonly ek: string; readonly issuers: readonly string[] };
  const swapped = { ...right, ek: base64url(issuer.der), issuers: [right.ek, right.issuers[1] ?? ""] };
  expect((await refusalsOf(fakeTee(), bytes, swapped))[0]).toBe("endorsements-form: bad-certificate");
});

describe("virtee/snpguest#38: a chip id may start as a DER tag does", () => {
  test.each([0x02, 0x03, 0x04, 0x30])("with byte %i", async (tag) => {
    for (const product of ["milan", "turin"] as const) {
      const { hwidLength } = products[product];
      for (const second of [0x08, 0x06, 0x3e, 0x40, 0x81]) {
        const hwid = new Uint8Array(hwidLength).fill(0x11);
        hwid.set([tag, second]);
        const chipId = new Uint8Array(64);
        chipId.set(hwid);
        expect(await refusals({ product, ek: { hwid }, report: { chipId } })).toEqual([]);
      }
    }
  });
});

test("virtee/snpguest: roots that come with the evidence are not trusted for that", async () => {
  expect((await refusals({ root: { serial: "0100ee" } }))[0]).toBe("pinned-root: untrusted-root");
});

test("virtee/snpguest, trustee: debug is refused without any further policy", async () => {
  expect(await refusals({ report: { policy: 0xb0000n } }, strictPolicy)).toEqual(["debug: debug-enabled"]);
});

test("google/go-sev-guest#153, #193, #197, #198: Turin is read by its own layout, with its eight bytes of chip id", async () => {
  expect(await refusals({ product: "turin", version: 5 })).toEqual([]);
  expect(await refusals({ product: "turin", version: 2 })).toEqual([]);
  const tcb = products.turin.tcb.with(0, 2) as unknown as typeof products.turin.tcb;
  expect(await refusals({ product: "turin", ek: { tcb } })).toEqual(["endorsement-key-tcb: tcb-mismatch"]);
  expect(await refusals({ product: "turin", ek: { drop: ["3.9"] } })).toEqual(["endorsement-key-tcb: tcb-mismatch"]);
});

test("google/go-sev-guest: the CRL is demanded, and there is no flag to leave it out", async () => {
  const without = { endorsements: (right: object) => ({ ...right, crls: [] }) };
  expect(await refusals(without)).toEqual(["crl-presence: missing-endorsement"]);
  expect(await refusals({ crl: { revoked: revokedList("010001") } })).toEqual(["certificate-revocation: revoked"]);
});

test("google/go-sev-guest: without a floor of the caller's there is the strict one", async () => {
  const tcb = [3, 0, 0, 0, 0, 0, 8, 0x73] as const;
  const old = { ek: { tcb }, report: { reportedTcb: tcb, committedTcb: tcb, launchTcb: tcb } };
  expect(new Set(await refusals(old, strictPolicy))).toEqual(new Set(["tcb: tcb-below-minimum"]));
});

test("microsoft/TEE-Attestation-Verification#142: a VLEK is not accepted as a VCEK", async () => {
  const { bytes } = mintEvidence({ report: { chipId: new Uint8Array(64) } });
  const { endorsements } = mintEvidence({ kind: "vlek" });
  expect(await refusalsOf(fakeTee(), bytes, endorsements)).toEqual([
    "endorsement-key: signing-key-mismatch",
    "product-agreement: bad-chain",
    "chip-id: chip-id-masked",
  ]);
});

test("microsoft/TEE-Attestation-Verification#142: a missing hardware id does not skip the chip check", async () => {
  expect(await refusals({ ek: { hwid: null } })).toEqual(["endorsement-key: bad-chain", "chip-id: hwid-mismatch"]);
  const nothing = { ek: { hwid: null }, report: { chipId: new Uint8Array(64) } };
  expect(await refusals(nothing)).toContain("chip-id: chip-id-masked");
});

test("microsoft/TEE-Attestation-Verification#146: an unknown version is refused", async () => {
  expect(await refusals({ report: { version: 6 } })).toEqual(["parse: unsupported-version"]);
});

test("microsoft/TEE-Attestation-Verification#152: policy and level are not left to the caller", async () => {
  expect(await refusals({ report: { policy: 0x70000n } }, strictPolicy)).toEqual(["migration-agent: migrate-ma"]);
  expect(await refusals({ report: { vmpl: 3 } }, strictPolicy)).toEqual(["vmpl: vmpl-mismatch"]);
});

test("LIT sev-snp-utils: the certificate's hardware id is compared with the report's", async () => {
  const chipId = chipIdOf("genoa").with(40, 9);
  expect(await refusals({ product: "genoa", report: { chipId } })).toEqual(["chip-id: hwid-mismatch"]);
});

test("canvasxyz/teekit: hardware id and TCB of the certificate are bound to the report", async () => {
  const tcb = products.genoa.tcb.with(7, 0x55) as unknown as typeof products.genoa.tcb;
  expect(await refusals({ product: "genoa", ek: { tcb } })).toEqual(["endorsement-key-tcb: tcb-mismatch"]);
  expect(await refusals({ product: "genoa", ek: { hwid: chipIdOf("milan").with(20, 1) } })).toEqual([
    "chip-id: hwid-mismatch",
  ]);
});

test("@tinfoilsh/verifier: products beside Genoa, and the cloud's keys, are known, and the clock is the caller's", async () => {
  expect(await refusals({ product: "milan", kind: "vlek" })).toEqual([]);
  const { bytes, endorsements } = mintEvidence();
  expect(await refusalsOf(fakeTee(), bytes, endorsements, undefined, NOW + 86_401)).toContain(
    "certificate-validity: expired",
  );
});

test("world-chain#956, #698, #1049: the root's place, the signature and the certificates are all demanded", async () => {
  const ark = base64url(pinnedArk("milan").der);
  const reversed = {
    endorsements: (right: AmdEndorsements) => ({ ...right, issuers: [ark, right.issuers[0]] }),
  };
  expect((await refusals(reversed))[0]).toBe("pinned-root: untrusted-root");
  const unsigned = {
    evidence: (report: Uint8Array) => new Uint8Array([...report.subarray(0, 0x2a0), ...new Uint8Array(0x200)]),
  };
  expect(await refusals(unsigned)).toEqual(["evidence-signature: bad-signature"]);
  const missing = { endorsements: (right: object) => ({ ...right, ek: null }) };
  expect(await refusals(missing)).toEqual(["endorsements-form: missing-endorsement", "evidence-signature skipped"]);
});
