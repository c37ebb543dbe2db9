/** Authorities and certificates of the fake internet. */
import "../../src/x509.ts";
import { webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const day = 86_400_000;

export interface Issued {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
}

export interface Authority extends Issued {
  /** Base64 of the DER, as a rule's `roots` holds it. */
  readonly root: string;
  issue(name: string, expired?: boolean): Promise<Issued>;
}

export async function createAuthority(): Promise<Authority> {
  const keys = await newKeys();
  const root = await X509CertificateGenerator.createSelfSigned({
    ...about("CN=Fake internet", false),
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  const issue = async (name: string, expired = false): Promise<Issued> => {
    const leafKeys = await newKeys();
    const leaf = await X509CertificateGenerator.create({
      ...about("CN=leaf", expired),
      issuer: root.subject,
      signingKey: keys.privateKey,
      publicKey: leafKeys.publicKey,
      extensions: [new SubjectAlternativeNameExtension([{ type: "dns", value: name }])],
    });
    return issued(leaf, leafKeys);
  };
  return { ...(await issued(root, keys)), root: Buffer.from(root.rawData).toString("base64"), issue };
}

export async function selfSigned(name: string): Promise<Issued> {
  const keys = await newKeys();
  const extensions = [new SubjectAlternativeNameExtension([{ type: "dns", value: name }])];
  return issued(
    await X509CertificateGenerator.createSelfSigned({ ...about("CN=self", false), keys, extensions }),
    keys,
  );
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

function about(name: string, expired: boolean) {
  const end = Date.now() + (expired ? -day : day);
  const serialNumber = `40${Buffer.from(webcrypto.getRandomValues(new Uint8Array(8))).toString("hex")}`;
  return {
    serialNumber,
    subject: name,
    name,
    notBefore: new Date(end - 3 * day),
    notAfter: new Date(end),
    signingAlgorithm: algorithm,
  };
}

async function issued(cert: X509Certificate, keys: webcrypto.CryptoKeyPair): Promise<Issued> {
  const key = PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  return { key, cert: cert.toString("pem") };
}
