/** Real vendors' certificates, EC and RSA: our reader against node:crypto. */
import { readFileSync } from "node:fs";
import { X509Certificate } from "node:crypto";
import { EncodingError, parsePem, toHex } from "@blindbox/encoding";
import { expect, test } from "vitest";
import {
  parseCertificate,
  rememberSignatures,
  type Certificate,
  type PublicKey,
} from "../packages/attestation/src/x509/index.ts";
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

const curves = new Map([
  ["prime256v1", "P-256"],
  ["secp384r1", "P-384"],
]);

function kindOfReference({ publicKey }: X509Certificate): string {
  const { namedCurve = "", modulusLength = 0, publicExponent = 0n } = publicKey.asymmetricKeyDetails ?? {};
  return publicKey.asymmetricKeyType === "rsa"
    ? `RSA ${modulusLength} ${publicExponent}`
    : (curves.get(namedCurve) ?? "");
}

function kindOf(key: PublicKey): string {
  return key.kind === "rsa" ? `RSA ${8 * key.modulus.length} 65537` : key.curve.name;
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

interface Read {
  readonly certificate: Certificate;
  readonly reference: X509Certificate;
}

function readSamples(): Read[] {
  return samples().flatMap(({ der, reference }) => {
    const certificate = parsed(der);
    return certificate === null ? [] : [{ certificate, reference }];
  });
}

test.skipIf(absent)("of every certificate we read the same as node:crypto", () => {
  const read = readSamples();
  expect(read.length).toBeGreaterThan(100);
  for (const { certificate, reference } of read) {
    expect(toHex(certificate.serial).replace(/^0+/, "")).toBe(reference.serialNumber.toLowerCase().replace(/^0+/, ""));
    expect(certificate.notBefore * 1000).toBe(Date.parse(reference.validFrom));
    expect(certificate.notAfter * 1000).toBe(Date.parse(reference.validTo));
    expect(certificate.basicConstraints.ca).toBe(reference.ca);
    expect(kindOf(certificate.key)).toBe(kindOfReference(reference));
    expect(toHex(certificate.spki)).toBe(reference.publicKey.export({ type: "spki", format: "der" }).toString("hex"));
  }
});

test.skipIf(absent)(
  "of every certificate and every CA we say the same as node:crypto about who signed whom",
  async () => {
    const read = readSamples();
    const verify = rememberSignatures();
    let signed = 0;
    for (const { certificate, reference } of read) {
      for (const issuer of read.filter(({ certificate: { basicConstraints } }) => basicConstraints.ca)) {
        const { algorithm, signature, signed: bytes } = certificate;
        const ours = await verify(algorithm, issuer.certificate.key, signature, bytes);
        expect(ours).toBe(reference.verify(issuer.reference.publicKey));
        signed += ours ? 1 : 0;
      }
    }
    expect(signed).toBeGreaterThan(50);
  },
);

test.skipIf(absent)("what is not read is longer than a vendor's certificate, or of an older version", () => {
  const refused = samples().filter(({ der }) => parsed(der) === null);
  expect(refused.length).toBeLessThan(5);
  for (const { der } of refused)
    expect(() => parseCertificate(der, "certificate")).toThrow(/limit-exceeded|extensions/);
});
