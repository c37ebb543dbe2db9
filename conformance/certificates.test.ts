/** Real vendors' certificates: our reader against node:crypto. Certificates of kinds that no TEE here uses yet are refused. */
import { readFileSync } from "node:fs";
import { X509Certificate } from "node:crypto";
import { EncodingError, parsePem, toHex } from "@blindbox/encoding";
import { expect, test } from "vitest";
import { parseCertificate, verifyDerSignature, type Certificate } from "../packages/attestation/src/x509/index.ts";
import { skipLine, vectorFiles, vectorsFolder } from "./vectors.ts";

const absent = vectorsFolder() === null;

interface Sample {
  readonly der: Uint8Array;
  readonly reference: X509Certificate;
}

function asSample(der: Uint8Array): Sample[] {
  try {
    return [{ der, reference: new X509Certificate(der) }];
  } catch {
    return [];
  }
}

function pemBlocks(text: string): Uint8Array[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((block) => {
    try {
      return parsePem(block, "CERTIFICATE");
    } catch (error) {
      if (error instanceof EncodingError) return [];
      throw error;
    }
  });
}

/** Every certificate of the vectors that node:crypto reads, each once. */
function samples(): Sample[] {
  const found = new Map<string, Sample>();
  const ders = [
    ...vectorFiles([".der"]).map((file) => new Uint8Array(readFileSync(file))),
    ...vectorFiles([".pem"]).flatMap((file) => pemBlocks(readFileSync(file, "latin1"))),
  ];
  for (const sample of ders.flatMap(asSample)) found.set(toHex(sample.der), sample);
  return [...found.values()];
}

const known = new Map([
  ["prime256v1", "P-256"],
  ["secp384r1", "P-384"],
]);

function curveOf({ publicKey }: X509Certificate): string | undefined {
  return known.get(publicKey.asymmetricKeyDetails?.namedCurve ?? "");
}

function parsed(der: Uint8Array): Certificate | null {
  try {
    return parseCertificate(der, "certificate");
  } catch (error) {
    if (error instanceof EncodingError) return null;
    throw error;
  }
}

if (absent) console.log(skipLine("real certificates"));

test.skipIf(absent)("of every EC certificate we read the same as node:crypto", () => {
  const ec = samples().filter(({ reference }) => curveOf(reference) !== undefined);
  const read = ec.flatMap(({ der, reference }) => {
    const certificate = parsed(der);
    return certificate === null ? [] : [{ certificate, reference }];
  });
  expect(read.length).toBeGreaterThan(10);
  for (const { certificate, reference } of read) {
    expect(toHex(certificate.serial).replace(/^0+/, "")).toBe(reference.serialNumber.toLowerCase().replace(/^0+/, ""));
    expect(certificate.notBefore * 1000).toBe(Date.parse(reference.validFrom));
    expect(certificate.notAfter * 1000).toBe(Date.parse(reference.validTo));
    expect(certificate.basicConstraints.ca).toBe(reference.ca);
    expect(certificate.key.curve.name).toBe(curveOf(reference));
    expect(toHex(certificate.spki)).toBe(reference.publicKey.export({ type: "spki", format: "der" }).toString("hex"));
  }
});

test.skipIf(absent)("of every pair we say the same as node:crypto about who signed whom", async () => {
  const read = samples().flatMap(({ der, reference }) => {
    const certificate = parsed(der);
    return certificate === null ? [] : [{ certificate, reference }];
  });
  let signed = 0;
  for (const child of read) {
    for (const issuer of read) {
      const { algorithm, signature, signed: bytes } = child.certificate;
      const ours = await verifyDerSignature(algorithm, issuer.certificate.key, signature, bytes);
      expect(ours).toBe(child.reference.verify(issuer.reference.publicKey));
      signed += ours ? 1 : 0;
    }
  }
  expect(signed).toBeGreaterThan(5);
});

test.skipIf(absent)("keys of another kind are refused, never misread", () => {
  const others = samples().filter(({ reference }) => curveOf(reference) === undefined);
  expect(others.length).toBeGreaterThan(3);
  for (const { der } of others) expect(parsed(der)).toBeNull();
});
