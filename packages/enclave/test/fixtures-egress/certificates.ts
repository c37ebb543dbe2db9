/** Authorities and certificates of the internet as the tests need it: good ones and all kinds of bad ones. */
import { generateKeyPairSync, hash, type KeyObject, randomBytes } from "node:crypto";
import "../../src/reflect.ts";
import {
  BasicConstraintsExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** A certificate with its key, and what else a server sends with it. */
export interface Identity {
  readonly subject: string;
  readonly keys: KeyPair;
  /** PEM, PKCS #8. */
  readonly key: string;
  /** PEM: the certificate itself. */
  readonly certificate: string;
  /** Base64 of the DER, as a rule's `roots` has it. */
  readonly der: string;
  /** `sha256:<hex>` of the DER. */
  readonly fingerprint: string;
  /** `sha256:<hex>` of the SPKI. */
  readonly pin: string;
}

export interface Wanted {
  readonly subject: string;
  /** Left out: signs itself. */
  readonly issuer?: Identity;
  /** Alternative names; left out: none. */
  readonly names?: readonly string[];
  readonly isAuthority?: boolean;
  readonly keys?: KeyPair;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

const curve = { name: "ECDSA", namedCurve: "P-256" };
const hourMs = 3_600_000;

export function newKeys(): KeyPair {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

/** Makes any certificate. */
export async function certify(wanted: Wanted): Promise<Identity> {
  const keys = wanted.keys ?? newKeys();
  const signer = wanted.issuer ?? { subject: wanted.subject, keys };
  const extensions: Extension[] = [new BasicConstraintsExtension(wanted.isAuthority === true, undefined, true)];
  if (wanted.isAuthority === true) extensions.push(new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true));
  if (wanted.names !== undefined) {
    extensions.push(new SubjectAlternativeNameExtension(wanted.names.map((value) => ({ type: "dns", value }))));
  }
  const made = await X509CertificateGenerator.create({
    serialNumber: `40${randomBytes(8).toString("hex")}`,
    subject: `CN=${wanted.subject}`,
    issuer: `CN=${signer.subject}`,
    notBefore: wanted.notBefore ?? new Date(Date.now() - hourMs),
    notAfter: wanted.notAfter ?? new Date(Date.now() + 24 * hourMs),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    publicKey: keys.publicKey.toCryptoKey(curve, true, ["verify"]),
    signingKey: signer.keys.privateKey.toCryptoKey(curve, false, ["sign"]),
    extensions,
  });
  const der = Buffer.from(made.rawData);
  return {
    subject: wanted.subject,
    keys,
    key: keys.privateKey.export({ format: "pem", type: "pkcs8" }),
    certificate: made.toString("pem"),
    der: der.toString("base64"),
    fingerprint: `sha256:${hash("sha256", der, "hex")}`,
    pin: `sha256:${hash("sha256", keys.publicKey.export({ format: "der", type: "spki" }), "hex")}`,
  };
}

/** An authority of its own. */
export function certifyRoot(subject: string): Promise<Identity> {
  return certify({ subject, isAuthority: true });
}

/** A certificate of `issuer` for `names`. */
export function certifySite(issuer: Identity, ...names: readonly string[]): Promise<Identity> {
  return certify({ subject: names[0] ?? "site", issuer, names });
}
