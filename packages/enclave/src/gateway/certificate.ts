/** The box's TLS key: made at boot, held in memory only, bound to the box by the Statement and by nothing else. */
import { generateKeyPairSync, hash, type KeyObject, randomBytes, type webcrypto } from "node:crypto";
import { X509CertificateGenerator } from "../x509.ts";

/** What the TLS listener needs, and what the Statement says of it. */
export interface TlsIdentity {
  /** PKCS #8, PEM. */
  readonly key: string;
  /** Self-signed: clients pin the key through the Statement and trust no name in it. */
  readonly certificate: string;
  /** `sha256:<hex>` of the DER SubjectPublicKeyInfo. */
  readonly spkiDigest: string;
}

const dayMs = 86_400_000;

/**
 * Makes a P-256 key and a certificate for it.
 *
 * @param now milliseconds since 1970; the validity is wide on both sides of it, since the clock in a box is the host's.
 */
export async function createTlsIdentity(now: number): Promise<TlsIdentity> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: positiveSerial(),
    name: "CN=BlindBox",
    notBefore: new Date(now - dayMs),
    notAfter: new Date(now + 3650 * dayMs),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    keys: webKeys(privateKey, publicKey),
  });
  const spki = publicKey.export({ format: "der", type: "spki" });
  return {
    key: privateKey.export({ format: "pem", type: "pkcs8" }),
    certificate: certificate.toString("pem"),
    spkiDigest: `sha256:${hash("sha256", spki, "hex")}`,
  };
}

// The first byte is neither zero nor above 0x7f: the shortest form of a positive DER integer.
function positiveSerial(): string {
  return `40${randomBytes(15).toString("hex")}`;
}

function webKeys(privateKey: KeyObject, publicKey: KeyObject): webcrypto.CryptoKeyPair {
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  return {
    privateKey: privateKey.toCryptoKey(curve, false, ["sign"]),
    publicKey: publicKey.toCryptoKey(curve, true, ["verify"]),
  };
}
