/** The signature algorithms that certificates, CRLs and reports may be signed with. One row holds all that is known of one. */

/** A curve as WebCrypto names it, with the length of a coordinate or scalar in bytes. */
export interface Curve {
  readonly name: "P-256" | "P-384";
  readonly oid: string;
  readonly length: number;
}

/** ECDSA on one curve with the hash of its strength; other pairings are refused. */
export interface SignatureAlgorithm {
  readonly oid: string;
  readonly hash: "SHA-256" | "SHA-384";
  readonly curve: Curve;
}

const p256: Curve = { name: "P-256", oid: "1.2.840.10045.3.1.7", length: 32 };
const p384: Curve = { name: "P-384", oid: "1.3.132.0.34", length: 48 };

/** The curves that a key may lie on. */
export const curves: readonly Curve[] = [p256, p384];

/** ECDSA with SHA-384 on P-384. */
export const ecdsaP384: SignatureAlgorithm = { oid: "1.2.840.10045.4.3.3", hash: "SHA-384", curve: p384 };

/** ECDSA with SHA-256 on P-256. */
export const ecdsaP256: SignatureAlgorithm = { oid: "1.2.840.10045.4.3.2", hash: "SHA-256", curve: p256 };

/** Every algorithm that is accepted. */
export const signatureAlgorithms: readonly SignatureAlgorithm[] = [ecdsaP256, ecdsaP384];
