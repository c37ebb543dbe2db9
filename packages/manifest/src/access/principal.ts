/** A caller known by its key material. Its `id` only names it within this document. */
export type Principal = ApiKeyPrincipal | JwtPrincipal | CertificatePrincipal | CombinedPrincipal;

/** What every principal has beside its key material. */
export interface Named {
  readonly id: string;
  /** Whether the caller may read the access log and the egress ledger. */
  readonly audit: boolean;
}

/** A caller that presents one API key and nothing else. */
export interface ApiKeyPrincipal extends Named, ApiKeyFactor {}

/** A caller that presents one JWT and nothing else. */
export interface JwtPrincipal extends Named, JwtFactor {}

/** A caller that presents one TLS client certificate and nothing else. */
export interface CertificatePrincipal extends Named, CertificateFactor {}

/** A caller that presents several credentials at once, and no other. */
export interface CombinedPrincipal extends Named {
  /** Two or three, each of another kind. Their order means nothing. */
  readonly allOf: readonly Factor[];
}

/** One kind of key material, by which a caller is known alone or together with others. */
export type Factor = ApiKeyFactor | JwtFactor | CertificateFactor;

/** Name of a kind of key material. */
export type FactorKind = "apiKey" | "jwt" | "certificate";

/** An API key: `bb_…` as in DESIGN section 5, Credentials. */
export interface ApiKeyFactor {
  /** `sha256:<64 lower-case hex>` of the whole ASCII key. */
  readonly apiKey: string;
}

/** A signed JWT (RFC 7519) that fulfils all terms. */
export interface JwtFactor {
  readonly jwt: TokenTerms;
}

/** A TLS client certificate that fulfils all terms. */
export interface CertificateFactor {
  readonly certificate: CertificateTerms;
}

/** What a JWT must be. It must also have `exp` and `iat`, whatever stands here. */
export interface TokenTerms {
  /** `https` URL; `iss` is this, character by character. */
  readonly issuer: string;
  /** `aud` is this, or a list that holds it. */
  readonly audience: string;
  readonly keys: InlineKeys | PinnedKeys;
  readonly algorithms: readonly JwtAlgorithm[];
  /** What further claims must be, by name; empty: nothing. */
  readonly requiredClaims: Readonly<Record<string, ClaimTerm>>;
  /** Seconds that the clocks of box and issuer may differ by, 0 to 300. */
  readonly clockSkew: number;
  /** Seconds from `iat` to `exp` at most, 60 to 86400. */
  readonly maxLifetime: number;
}

/** What one claim must be. */
export type ClaimTerm =
  /** Exactly this value, of this type. */
  | string
  | number
  | boolean
  /** A string that is one of these. */
  | readonly string[]
  /** A string that holds this word between single spaces, as `scope` does (RFC 8693, section 4.2). */
  | { readonly word: string }
  /** A list that holds this string, as `groups` does. */
  | { readonly item: string };

/** Signature algorithms of JWTs that can be named: public-key ones only. */
export type JwtAlgorithm = "ES256" | "ES384" | "ES512" | "EdDSA" | "PS256" | "PS384" | "PS512" | "RS256";

/** A JWK set (RFC 7517) of public keys. A member that would hold private or symmetric key material is refused. */
export interface InlineKeys {
  readonly keys: readonly Jwk[];
}

/** Keys that the issuer publishes, of which these count and no others. */
export interface PinnedKeys {
  /** `https` URL of a JWK set, which the egress rules must allow the box to ask for. */
  readonly url: string;
  /** RFC 7638 thumbprints with SHA-256, base64url. */
  readonly thumbprints: readonly string[];
}

/** One public key (RFC 7517, RFC 7518, RFC 8037): a closed list of members. */
export type Jwk = Readonly<Record<string, string | readonly string[]>>;

/** What a client certificate must be. It must also be valid now, and be for clients (EKU), whatever stands here. */
export interface CertificateTerms {
  /** `sha256:<64 lower-case hex>` of the SPKI of the key that signed the certificate. */
  readonly issuer: string;
  /** The whole subject, attribute by attribute; `any`: whatever it is. */
  readonly subject: readonly NameAttribute[] | "any";
  /** A name that must be among the certificate's alternative names; null: whatever they are. */
  readonly san: AlternativeName | null;
}

/** One attribute of a distinguished name, as the only one of its RDN. */
export interface NameAttribute {
  readonly type: NameAttributeType;
  /** Compared character by character. */
  readonly value: string;
}

/** The attributes that a subject can be matched by. */
export type NameAttributeType = "C" | "ST" | "L" | "O" | "OU" | "CN" | "serialNumber" | "UID" | "DC";

/** One alternative name (RFC 5280, section 4.2.1.6), compared character by character. */
export type AlternativeName =
  /** Lower case, no wildcard. */
  { readonly dns: string } | { readonly uri: string } | { readonly email: string };

/** The id that stands for callers that present no credential. No principal may bear it. */
export const ANONYMOUS = "anonymous";

/** The key material of a principal, as a list. */
export function factorsOf(principal: Principal | Factor): readonly Factor[] {
  return "allOf" in principal ? principal.allOf : [principal];
}

/** Which kind of key material a factor is. */
export function kindOfFactor(factor: Factor): FactorKind {
  if ("apiKey" in factor) return "apiKey";
  return "jwt" in factor ? "jwt" : "certificate";
}

/** The texts that a claim may be; none where the term is no text and no list of texts, or there is no term. */
export function textsOf(term: ClaimTerm | undefined): readonly string[] {
  if (typeof term === "string") return [term];
  return Array.isArray(term) ? term : [];
}
