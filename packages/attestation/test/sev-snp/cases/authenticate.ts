/** Endorsements that cannot be read, and signatures that are none. */
import { pssAlgorithm } from "../../rsa.ts";
import { base64url, curveKeys } from "../../vendor.ts";
import { amdExtension, mintEvidence, pinnedArk, type AmdChange, type AmdEndorsements } from "../vendor.ts";
import { refused, tampered, type RefusalCase } from "./refusal.ts";

const skippedSignature = "evidence-signature skipped";

function changed(change: (right: AmdEndorsements) => unknown): AmdChange {
  return { endorsements: change };
}

const genoa = mintEvidence({ product: "genoa" });

/** The order of P-384, little-endian. */
const order = Buffer.from(
  "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
  "hex",
).toReversed();

const emptyText = Uint8Array.of(0x16, 0);
const integerOf = (...bytes: readonly number[]): Uint8Array => Uint8Array.of(2, bytes.length, ...bytes);

export const authenticateCases: readonly RefusalCase[] = [
  refused(["endorsements-form: missing-endorsement", skippedSignature], {
    "no EK": changed((right) => ({ ...right, ek: null })),
    "no issuers": changed((right) => ({ ...right, issuers: [] })),
    "the root alone": changed((right) => ({ ...right, issuers: right.issuers.slice(1) })),
    "the issuer alone": changed((right) => ({ ...right, issuers: right.issuers.slice(0, 1) })),
  }),
  refused(["endorsements-form: bad-chain", skippedSignature], {
    "AMD's root behind the right root": changed((right) => ({
      ...right,
      issuers: [...right.issuers, right.issuers[1]],
    })),
    "the EK as an issuer as well": changed((right) => ({ ...right, issuers: [right.ek, ...right.issuers] })),
  }),
  refused(["endorsements-form: bad-encoding", skippedSignature], {
    "no Endorsements": changed(() => null),
    "one member more": changed((right) => ({ ...right, more: 1 })),
    "one member less": changed(({ uvm: _uvm, ...rest }) => rest),
    "an EK that is no text": changed((right) => ({ ...right, ek: 1 })),
    "a CRL that is no base64url": changed((right) => ({ ...right, crls: ["=="] })),
  }),
  refused(["endorsements-form: bad-encoding", skippedSignature], {
    "two CRLs": changed((right) => ({ ...right, crls: [...right.crls, ...right.crls] })),
    "five issuers": changed((right) => ({ ...right, issuers: Array.from({ length: 5 }, () => right.issuers[0]) })),
  }),
  refused(["endorsements-form: bad-certificate", skippedSignature], {
    "an EK with a byte behind it": changed((right) => ({ ...right, ek: `${right.ek ?? ""}AAAA` })),
    "an EK that ends early": changed((right) => ({ ...right, ek: (right.ek ?? "").slice(0, 400) })),
    "an issuer that ends early": changed((right) => ({
      ...right,
      issuers: [right.issuers[0]?.slice(0, 400), right.issuers[1]],
    })),
    "an EK that names another algorithm outside": {
      ekCertificate: { outerAlgorithm: pssAlgorithm({ trailer: 1 }) },
    },
    "an EK that names another salt": {
      ekCertificate: { outerAlgorithm: pssAlgorithm({ salt: 32 }), innerAlgorithm: pssAlgorithm({ salt: 32 }) },
    },
    "an EK without structure version": { ek: { drop: ["1"] } },
    "an EK without product name": { ek: { drop: ["2"] } },
    "an extension twice": { ek: { extra: [amdExtension("3.8", integerOf(1))] } },
    "a security version that is a text": {
      ek: { drop: ["3.8"], extra: [amdExtension("3.8", Uint8Array.of(0x16, 1, 0x31))] },
    },
    "a security version without a tag": { ek: { drop: ["3.3"], extra: [amdExtension("3.3", Uint8Array.of(0x18))] } },
    "a security version of 256": { ek: { drop: ["3.8"], extra: [amdExtension("3.8", integerOf(1, 0))] } },
    "a security version below zero": { ek: { drop: ["3.8"], extra: [amdExtension("3.8", integerOf(0xdb))] } },
    "a security version in a longer form": { ek: { drop: ["3.3"], extra: [amdExtension("3.3", integerOf(0, 0x18))] } },
    "bytes behind a security version": {
      ek: { drop: ["3.3"], extra: [amdExtension("3.3", Uint8Array.of(2, 1, 0x18, 0))] },
    },
    "a product name in UTF-8": { ek: { drop: ["2"], extra: [amdExtension("2", Uint8Array.of(0x0c, 1, 0x4d))] } },
  }),
  refused(["endorsements-form: bad-certificate", skippedSignature, "csp-id skipped"], {
    "a cloud without a name": { kind: "vlek", ek: { cspId: null, extra: [amdExtension("5", emptyText)] } },
  }),
  refused("evidence-signature: bad-signature", {
    "a report signed by another key": { signer: curveKeys("P-384") },
    "a measurement changed after signing": tampered(0x90, 0),
    "report data changed after signing": tampered(0x8f, 0),
    "a family id changed after signing": tampered(0x10, 9),
    "r of zero": tampered(0x2a0, ...new Uint8Array(48)),
    "s of zero": tampered(0x2e8, ...new Uint8Array(48)),
    "r of the order": tampered(0x2a0, ...order),
    "s of the order": tampered(0x2e8, ...order),
    "r and s swapped": {
      evidence: (report) => {
        const copy = report.slice();
        copy.set(report.subarray(0x2a0, 0x2d0), 0x2e8);
        copy.set(report.subarray(0x2e8, 0x318), 0x2a0);
        return copy;
      },
    },
    "r and s in the other byte order": {
      evidence: (report) => {
        const copy = report.slice();
        copy.set(report.subarray(0x2a0, 0x2d0).toReversed(), 0x2a0);
        copy.set(report.subarray(0x2e8, 0x318).toReversed(), 0x2e8);
        return copy;
      },
    },
    "an EK on the other curve": { ekCertificate: { keys: curveKeys("P-256") } },
    "an EK that is an RSA key": { ekCertificate: { keys: pinnedArk("milan").keys } },
  }),
  refused(
    [
      "certificate-issuer: bad-chain",
      "certificate-signature: bad-chain",
      "crl-issuer: crl-bad-signature",
      "crl-signature: crl-bad-signature",
      "product-agreement: bad-chain",
    ],
    {
      "Genoa's issuers above a Milan EK": changed((right) => ({
        ...right,
        issuers: [base64url(genoa.issuer.der), base64url(genoa.ark.der)],
      })),
    },
  ),
  refused(
    [
      "pinned-root: untrusted-root",
      "certificate-issuer: bad-chain",
      "certificate-issuer: bad-chain",
      "certificate-signature: bad-chain",
      "certificate-signature: bad-chain",
      "certificate-authority: bad-chain",
      "crl-issuer: crl-bad-signature",
      "crl-signature: crl-bad-signature",
      "product-agreement: bad-chain",
    ],
    {
      "a chain in the other order": changed((right) => ({ ...right, issuers: right.issuers.toReversed() })),
    },
  ),
  refused(
    [
      "signing-key: signing-key-mismatch",
      "endorsement-key: signing-key-mismatch",
      "endorsement-key-kind: unsupported-key-type",
    ],
    {
      "a report that no key signed": { report: { keyInfo: 7 << 2 } },
      "a report of a reserved key, 2": { report: { keyInfo: 2 << 2 } },
      "a report of a reserved key, 6": { report: { keyInfo: 6 << 2 } },
    },
  ),
  refused("signing-key: signing-key-mismatch", {
    "a report whose host hid the chip's key": { report: { keyInfo: 2 } },
  }),
].flat();
