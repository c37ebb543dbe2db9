import type { AlternativeName, NameAttribute } from "./principal.ts";

/**
 * What one request presented and the box verified. What was presented and could not be verified has no facts: such a
 * request is refused before it comes here. Nothing presented: all three are null.
 */
export interface PresentedFacts {
  /** `apiKeyDigest` of the API key. */
  readonly apiKey: string | null;
  readonly token: TokenFacts | null;
  readonly certificate: CertificateFacts | null;
}

/** A JWT whose signature was verified. Whether its claims are acceptable has not been looked at. */
export interface TokenFacts {
  /** `alg` of its header. */
  readonly algorithm: string;
  /** RFC 7638 thumbprint (SHA-256, base64url) of the key that verified the signature. */
  readonly key: string;
  /** The payload, as JSON without a member twice. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * A TLS client certificate of which the handshake proved possession, which an issuer in the presented chain signed, which
 * is for clients (EKU), and whose issuer may issue.
 */
export interface CertificateFacts {
  /** `sha256:<hex>` of the SPKI of the key that signed it. */
  readonly issuer: string;
  /** The whole subject; null where it holds an RDN of several attributes, or an attribute of another type. */
  readonly subject: readonly NameAttribute[] | null;
  /** All alternative names of these kinds; `dns` in lower case. */
  readonly names: readonly AlternativeName[];
  /** Seconds since 1970, both inclusive (RFC 5280, section 4.1.2.5). */
  readonly notBefore: number;
  readonly notAfter: number;
}
