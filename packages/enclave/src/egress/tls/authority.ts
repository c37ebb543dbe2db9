/**
 * The authority that ends the application's TLS: made at boot, its key in memory only, trusted inside the sandbox and
 * nowhere else, and good for the names of `verified` rules alone.
 */
import { constants, generateKeyPairSync, hash, type KeyObject, randomBytes, type webcrypto } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "../../x509.ts";
import { nameConstraints } from "./name-constraints.ts";

/** A key with its certificate, as `node:tls` takes them. */
export interface Leaf {
  /** PKCS #8, PEM. */
  readonly key: string;
  /** PEM. */
  readonly certificate: string;
}

export interface Authority {
  /** PEM. */
  readonly certificate: string;
  /** A certificate for `name`, which is not checked: outside the permitted names, no client accepts it. */
  mint(name: string): Promise<Leaf>;
  /** What a TLS server needs to be `name`: TLS 1.2 or newer, no session of another connection. Cached. */
  context(name: string): Promise<SecureContext>;
}

const subject = "CN=BlindBox egress authority";
const dayMs = 86_400_000;
const curve = { name: "ECDSA", namedCurve: "P-256" };
const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" };
const serverAuth = "1.3.6.1.5.5.7.3.1";

// Contexts cost some 50 KB each. The DNS server bounds how many names there can be; this, what is kept of them.
const maxContexts = 256;

interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

interface Issuer {
  readonly keys: KeyPair;
  readonly keyId: string;
  readonly validity: { readonly notBefore: Date; readonly notAfter: Date };
}

/**
 * Makes an authority for the hosts of rules: names, or `*.` and a name. A certificate cannot say "one label more", so a
 * wildcard permits its parent and everything below; what the box itself mints for is decided by the rules.
 *
 * @param now milliseconds since 1970; the validity is wide on both sides of it, since the clock in a box is the host's.
 */
export async function createAuthority(hosts: readonly string[], now: number): Promise<Authority> {
  const keys = newKeys();
  const validity = { notBefore: new Date(now - dayMs), notAfter: new Date(now + 3650 * dayMs) };
  const issuer: Issuer = { keys, keyId: keyIdOf(keys.publicKey), validity };
  const certificate = await selfSign(issuer, hosts);
  // One key for all names: they end at the same place.
  const leafKeys = newKeys();
  const mint = (name: string): Promise<Leaf> => mintLeaf(issuer, leafKeys, name);
  const contexts = new Map<string, Promise<SecureContext>>();
  return { certificate, mint, context: (name) => cached(contexts, name, () => contextOf(mint(name))) };
}

async function selfSign(issuer: Issuer, hosts: readonly string[]): Promise<string> {
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: positiveSerial(),
    name: subject,
    ...issuer.validity,
    signingAlgorithm,
    keys: webKeys(issuer.keys),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      new Extension("2.5.29.30", true, nameConstraints(hosts)),
      new SubjectKeyIdentifierExtension(issuer.keyId),
      new AuthorityKeyIdentifierExtension(issuer.keyId),
    ],
  });
  return certificate.toString("pem");
}

async function mintLeaf(issuer: Issuer, keys: KeyPair, name: string): Promise<Leaf> {
  const certificate = await X509CertificateGenerator.create({
    serialNumber: positiveSerial(),
    // A name may be longer than a common name can be; clients read the alternative name.
    subject: "CN=BlindBox egress",
    issuer: subject,
    ...issuer.validity,
    signingAlgorithm,
    publicKey: webKeys(keys).publicKey,
    signingKey: webKeys(issuer.keys).privateKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([serverAuth]),
      new SubjectAlternativeNameExtension([{ type: "dns", value: name }]),
      new SubjectKeyIdentifierExtension(keyIdOf(keys.publicKey)),
      new AuthorityKeyIdentifierExtension(issuer.keyId),
    ],
  });
  return {
    key: keys.privateKey.export({ format: "pem", type: "pkcs8" }),
    certificate: certificate.toString("pem"),
  };
}

async function contextOf(leaf: Promise<Leaf>): Promise<SecureContext> {
  const { key, certificate } = await leaf;
  return createSecureContext({
    key,
    cert: certificate,
    // Between the application and the box, on one machine: what a hybrid with ML-KEM costs would protect nothing.
    ecdhCurve: "X25519:P-256:P-384",
    minVersion: "TLSv1.2",
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    sessionTimeout: 1,
  });
}

function cached<T>(kept: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
  const found = kept.get(name) ?? make();
  // Set anew, so that the first of the map is the one that was not asked for the longest.
  kept.delete(name);
  kept.set(name, found);
  const [oldest] = kept.keys();
  if (kept.size > maxContexts && oldest !== undefined) kept.delete(oldest);
  return found;
}

function newKeys(): KeyPair {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

function webKeys({ privateKey, publicKey }: KeyPair): webcrypto.CryptoKeyPair {
  return {
    privateKey: privateKey.toCryptoKey(curve, false, ["sign"]),
    publicKey: publicKey.toCryptoKey(curve, true, ["verify"]),
  };
}

function keyIdOf(publicKey: KeyObject): string {
  return hash("sha256", publicKey.export({ format: "der", type: "spki" }), "hex").slice(0, 40);
}

// The first byte is neither zero nor above 0x7f: the shortest form of a positive DER integer.
function positiveSerial(): string {
  return `40${randomBytes(15).toString("hex")}`;
}
