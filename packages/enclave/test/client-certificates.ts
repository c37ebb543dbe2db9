/** Certificate authorities and client certificates of the tests, right or with one thing wrong. */
import { generateKeyPairSync, hash, type KeyObject, type webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "../src/x509.ts";

export interface Authority {
  readonly name: string;
  readonly keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
  readonly pem: string;
  /** `sha256:<hex>` of its SPKI, as a Manifest pins it. */
  readonly spki: string;
}

export interface ClientIdentity {
  readonly key: string;
  /** The leaf alone, or with its issuer behind it. */
  readonly cert: string;
}

const day = 86_400_000;
const curve = { name: "ECDSA", namedCurve: "P-256" };

function webKeys({ privateKey, publicKey }: Authority["keys"]): webcrypto.CryptoKeyPair {
  return {
    privateKey: privateKey.toCryptoKey(curve, true, ["sign"]),
    publicKey: publicKey.toCryptoKey(curve, true, ["verify"]),
  };
}

/** What an authority's certificate may do; left out: issue. */
export interface AuthoritySpec {
  readonly ca?: boolean;
  readonly usage?: number;
}

export async function authority(
  name: string,
  { ca = true, usage = KeyUsageFlags.keyCertSign }: AuthoritySpec = {},
): Promise<Authority> {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + day),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    keys: webKeys(keys),
    extensions: [new BasicConstraintsExtension(ca, undefined, true), new KeyUsagesExtension(usage, true)],
  });
  const spki = keys.publicKey.export({ format: "der", type: "spki" });
  return { name, keys, pem: certificate.toString("pem"), spki: `sha256:${hash("sha256", spki, "hex")}` };
}

/** What is particular to one client's certificate; left out: what is right. */
export interface ClientSpec {
  readonly subject?: string;
  readonly uri?: string;
  readonly ekus?: readonly string[];
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly ca?: boolean;
  /** Whose name it bears as its issuer's; left out: the signer's. */
  readonly issuerName?: string;
  /** Whether the issuer's certificate comes along. */
  readonly alone?: boolean;
  /** Another certificate that comes along in its issuer's place. */
  readonly companion?: string;
}

const clientAuth = "1.3.6.1.5.5.7.3.2";

export async function clientOf(issuer: Authority, spec: ClientSpec = {}): Promise<ClientIdentity> {
  const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificate = await X509CertificateGenerator.create({
    serialNumber: "02",
    subject: spec.subject ?? "CN=host-1,O=Acme",
    issuer: `CN=${spec.issuerName ?? issuer.name}`,
    notBefore: new Date(spec.notBefore ?? Date.now() - day),
    notAfter: new Date(spec.notAfter ?? Date.now() + day),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    publicKey: webKeys(own).publicKey,
    signingKey: webKeys(issuer.keys).privateKey,
    extensions: [
      new BasicConstraintsExtension(spec.ca ?? false),
      ...((spec.ekus ?? [clientAuth]).length === 0
        ? []
        : [new ExtendedKeyUsageExtension([...(spec.ekus ?? [clientAuth])])]),
      ...(spec.uri === undefined ? [] : [new SubjectAlternativeNameExtension([{ type: "url", value: spec.uri }])]),
    ],
  });
  const leaf = certificate.toString("pem");
  const behind = spec.companion ?? issuer.pem;
  return {
    key: own.privateKey.export({ format: "pem", type: "pkcs8" }),
    cert: spec.alone === true ? leaf : `${leaf}\n${behind}`,
  };
}
