/** Real evidence: the second signature that ECDSA allows, the last second of validity, and what an independent reader says. */
import { X509Certificate as NodeCertificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { skipLine, vectorsFolder } from "../../../../conformance/vectors.ts";
import { parseCertificate } from "../../src/x509/index.ts";
import { parseEndorsementKey } from "../../src/sev-snp/endorsement-key.ts";
import { PeculiarCertificate } from "./peculiar.ts";
import { codeOf, realEvidence } from "./real.ts";

const real = realEvidence();
if (vectorsFolder() === null) console.log(skipLine("real SEV-SNP evidence"));

const order: bigint = BigInt(
  "0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
);

function der(text: string | null | undefined): Uint8Array {
  return new Uint8Array(Buffer.from(text ?? "", "base64url"));
}

describe.each(real)("$name", (each) => {
  test("is accepted with the second signature of its key, which is another report by its bytes alone", async () => {
    const s = BigInt(`0x${Buffer.from(each.report.subarray(0x2e8, 0x318).toReversed()).toString("hex")}`);
    const other = Buffer.from((order - s).toString(16).padStart(96, "0"), "hex").toReversed();
    const report = each.report.slice();
    report.set(other, 0x2e8);
    expect(await codeOf(each, { report })).toBeNull();
    expect(await codeOf(each, { report: report.with(0x2e8, (report[0x2e8] ?? 0) ^ 1) })).toBe("bad-signature");
  });

  test("is accepted in the first and last second of its key's validity, and in no other", async () => {
    const { notBefore, notAfter } = parseCertificate(der(each.endorsements.ek), "ek");
    const withoutCrl = { ...each, endorsements: { ...each.endorsements, crls: [] } };
    expect(await codeOf(withoutCrl, { now: notBefore })).toBeNull();
    expect(await codeOf(withoutCrl, { now: notAfter })).toBeNull();
    expect(await codeOf(withoutCrl, { now: notBefore - 1 })).toBe("not-yet-valid");
    expect(await codeOf(withoutCrl, { now: notAfter + 1 })).toBe("expired");
  });

  test("has certificates that node:crypto and @peculiar/x509 read as we do", () => {
    for (const text of [each.endorsements.ek, ...each.endorsements.issuers]) {
      const bytes = der(text);
      const ours = parseCertificate(bytes, "certificate");
      const node = new NodeCertificate(bytes);
      const peculiar = new PeculiarCertificate(Buffer.from(bytes));
      expect(Buffer.from(ours.spki)).toEqual(node.publicKey.export({ type: "spki", format: "der" }));
      expect(ours.notBefore * 1000).toBe(peculiar.notBefore.getTime());
      expect(ours.notAfter * 1000).toBe(peculiar.notAfter.getTime());
      expect(ours.basicConstraints.ca).toBe(node.ca);
      const theirs = peculiar.extensions.map(({ type, value }) => [type, Buffer.from(value).toString("hex")]);
      expect(ours.extensions.map(({ oid, value }) => [oid, Buffer.from(value).toString("hex")])).toEqual(theirs);
      expect(Buffer.from(ours.signature)).toEqual(Buffer.from(peculiar.signature));
    }
  });

  test("is read as @peculiar/x509 reads its key's extensions", () => {
    const ours = parseEndorsementKey(der(each.endorsements.ek), "ek");
    const { extensions } = new PeculiarCertificate(Buffer.from(der(each.endorsements.ek)));
    const raw = new Map(extensions.map(({ type, value }) => [type, Buffer.from(value)]));
    const arcs = "1.3.6.1.4.1.3704.1.";
    for (const [arc, version] of ours.versions) expect(raw.get(arcs + arc)?.at(-1)).toBe(version);
    expect(ours.hwid === null ? undefined : Buffer.from(ours.hwid)).toEqual(raw.get(`${arcs}4`));
    expect(ours.cspId ?? undefined).toBe(raw.get(`${arcs}5`)?.subarray(2).toString("latin1"));
    expect(ours.kind).toBe(raw.has(`${arcs}4`) ? "vcek" : "vlek");
  });
});
