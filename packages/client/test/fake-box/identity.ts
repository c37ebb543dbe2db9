import { createPublicKey, hash, webcrypto } from "node:crypto";
import { formatPem } from "@blindbox/encoding";
import { X509CertificateGenerator } from "./x509.ts";

/** A TLS key with its self-signed certificate. */
export interface TlsIdentity {
  readonly key: string;
  readonly cert: string;
  /** `sha256:<hex>` of the DER SubjectPublicKeyInfo. */
  readonly spkiDigest: string;
}

export async function makeIdentity(): Promise<TlsIdentity> {
  const keys = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=BlindBox",
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 86_400_000),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    keys,
  });
  const cert = certificate.toString("pem");
  const spki = createPublicKey(cert).export({ type: "spki", format: "der" });
  const key = formatPem("PRIVATE KEY", new Uint8Array(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)));
  return { key, cert, spkiDigest: `sha256:${hash("sha256", spki, "hex")}` };
}
