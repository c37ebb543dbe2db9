/** The signature algorithms that certificates, CRLs and reports may be signed with. One row holds all that is known of one. */

/** A curve as WebCrypto names it, with the length of a coordinate or scalar in bytes. */
export interface Curve {
  readonly name: "P-256" | "P-384";
  readonly oid: string;
  readonly length: number;
}

/** One algorithm with its hash and parameters fixed; other combinations are refused. */
export interface SignatureAlgorithm {
  /** For findings. */
  readonly name: string;
  /** Every DER AlgorithmIdentifier that is read as this row, whole and in hex: parameters are compared, never interpreted. */
  readonly identifiers: readonly string[];
  /** What the key must be. */
  readonly key: Curve | "rsa";
  /** WebCrypto's parameters for importing the key, beside the curve's name. */
  readonly importing: object;
  /** WebCrypto's parameters for verifying. */
  readonly verifying: object;
}

/** NIST P-256 (FIPS 186-5). */
export const p256: Curve = { name: "P-256", oid: "1.2.840.10045.3.1.7", length: 32 };
const p384: Curve = { name: "P-384", oid: "1.3.132.0.34", length: 48 };

/** The curves that a key may lie on. */
export const curves: readonly Curve[] = [p256, p384];

/** ECDSA with SHA-384 on P-384, without parameters (RFC 5758, 3.2). */
export const ecdsaP384: SignatureAlgorithm = {
  name: "ECDSA with SHA-384 on P-384",
  identifiers: ["300a06082a8648ce3d040303"],
  key: p384,
  importing: { name: "ECDSA", namedCurve: "P-384" },
  verifying: { name: "ECDSA", hash: "SHA-384" },
};

/** ECDSA with SHA-256 on P-256, without parameters (RFC 5758, 3.2). */
export const ecdsaP256: SignatureAlgorithm = {
  name: "ECDSA with SHA-256 on P-256",
  identifiers: ["300a06082a8648ce3d040302"],
  key: p256,
  importing: { name: "ECDSA", namedCurve: "P-256" },
  verifying: { name: "ECDSA", hash: "SHA-256" },
};

// hashAlgorithm [0] and maskGenAlgorithm [1]: SHA-384 with NULL, MGF1 with the same; saltLength [2]: 48 (RFC 4055, 3.1).
const pssSha384 =
  "a00f300d06096086480165030402020500a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130";

/**
 * RSASSA-PSS with SHA-384, MGF1 with SHA-384, a salt of 48 bytes and the default trailer. That default is left out in DER;
 * AMD's older certificates write it all the same, so both forms are known.
 */
export const rsaPssSha384: SignatureAlgorithm = {
  name: "RSASSA-PSS with SHA-384",
  identifiers: [`304106092a864886f70d01010a3034${pssSha384}`, `304606092a864886f70d01010a3039${pssSha384}a303020101`],
  key: "rsa",
  importing: { name: "RSA-PSS", hash: "SHA-384" },
  verifying: { name: "RSA-PSS", saltLength: 48 },
};

/** RSASSA-PKCS1-v1_5 with SHA-256, parameters NULL (RFC 4055, 5). */
export const rsaPkcs1Sha256: SignatureAlgorithm = {
  name: "RSASSA-PKCS1-v1_5 with SHA-256",
  identifiers: ["300d06092a864886f70d01010b0500"],
  key: "rsa",
  importing: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  verifying: { name: "RSASSA-PKCS1-v1_5" },
};

/** RSASSA-PKCS1-v1_5 with SHA-384, parameters NULL (RFC 4055, 5). */
export const rsaPkcs1Sha384: SignatureAlgorithm = {
  name: "RSASSA-PKCS1-v1_5 with SHA-384",
  identifiers: ["300d06092a864886f70d01010c0500"],
  key: "rsa",
  importing: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-384" },
  verifying: { name: "RSASSA-PKCS1-v1_5" },
};

/** Every algorithm that is read. Which of them a chain may use, {@link Chain.algorithms} says. */
export const signatureAlgorithms: readonly SignatureAlgorithm[] = [
  ecdsaP256,
  ecdsaP384,
  rsaPssSha384,
  rsaPkcs1Sha256,
  rsaPkcs1Sha384,
];
