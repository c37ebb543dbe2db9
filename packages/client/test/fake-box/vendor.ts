/** A whole vendor of simulated TEEs: root, intermediate, device, and the CRLs of both CAs, all made afresh. */
import { randomBytes, webcrypto } from "node:crypto";
import { encodeSimulatedReportBody, simulated, type SimulatedReportBody, type Tee } from "@blindbox/attestation";
import { concatBytes, digest, type JsonValue, toBase64url } from "@blindbox/encoding";
import {
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509CertificateGenerator,
  X509CrlGenerator,
} from "./x509.ts";

export interface Vendor {
  readonly tee: Tee;
  readonly rootPem: string;
  readonly endorsements: JsonValue;
  /** 32 bytes. */
  readonly chipId: Uint8Array;
  /** A whole signed report. */
  sign(body: SimulatedReportBody): Promise<Uint8Array>;
}

const curve = { name: "ECDSA", namedCurve: "P-384" } as const;
const algorithm = { name: "ECDSA", hash: "SHA-384" } as const;
const validity = { notBefore: new Date(Date.now() - 86_400_000), notAfter: new Date(Date.now() + 86_400_000) };
const authority = [
  new BasicConstraintsExtension(true, undefined, true),
  new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
];
const signing = [new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true)];

interface Party {
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

export async function makeVendor(): Promise<Vendor> {
  const [root, intermediate, device] = [await party("root"), await party("intermediate"), await party("device")];
  const rootCertificate = await issue(root, root, authority);
  const chain = [await issue(device, intermediate, signing), await issue(intermediate, root, authority)];
  const crls = [await revokeNothing(root), await revokeNothing(intermediate)];
  const rootPem = rootCertificate.toString("pem");
  const spki = new Uint8Array(await webcrypto.subtle.exportKey("spki", device.keys.publicKey));
  return {
    tee: simulated({ root: rootPem }),
    rootPem,
    endorsements: { chain: chain.map(({ rawData }) => encode(rawData)), crls: crls.map(encode) },
    chipId: await digest("SHA-256", spki),
    async sign(body) {
      const signed = encodeSimulatedReportBody(body);
      const signature = await webcrypto.subtle.sign(algorithm, device.keys.privateKey, new Uint8Array(signed));
      return concatBytes(signed, new Uint8Array(signature));
    },
  };
}

function encode(der: ArrayBuffer): string {
  return toBase64url(new Uint8Array(der));
}

async function party(name: string): Promise<Party> {
  return { name: `CN=Test ${name}`, keys: await webcrypto.subtle.generateKey(curve, true, ["sign", "verify"]) };
}

function issue(subject: Party, issuer: Party, extensions: typeof authority | typeof signing) {
  return X509CertificateGenerator.create({
    serialNumber: `4${randomBytes(7).toString("hex").slice(1)}`,
    subject: subject.name,
    issuer: issuer.name,
    ...validity,
    publicKey: subject.keys.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [...extensions],
  });
}

async function revokeNothing(issuer: Party): Promise<ArrayBuffer> {
  const crl = await X509CrlGenerator.create({
    issuer: issuer.name,
    thisUpdate: validity.notBefore,
    nextUpdate: validity.notAfter,
    signingAlgorithm: algorithm,
    signingKey: issuer.keys.privateKey,
    // cRLNumber 1
    extensions: [new Extension("2.5.29.20", false, Uint8Array.of(2, 1, 1))],
  });
  return crl.rawData;
}
