/** The certificate library asks for three functions of the Reflect metadata proposal, and never for what they return. */
for (const name of ["getMetadata", "getOwnMetadata", "defineMetadata"]) {
  if (!Reflect.has(Reflect, name)) Reflect.set(Reflect, name, () => undefined);
}

const { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, PemConverter, X509CertificateGenerator } =
  await import("@peculiar/x509");

const algorithm = { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" };
const day = 86_400_000;

/** A key and a certificate that it signed itself, both in PEM. */
export interface Certified {
  readonly key: string;
  readonly cert: string;
}

/** Certifies a new key as its own root. */
export async function selfSigned(): Promise<Certified> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: "CN=test",
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + day),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  const key = PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  return { key, cert: certificate.toString("pem") };
}
