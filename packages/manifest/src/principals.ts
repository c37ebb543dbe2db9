import { digestShape, principalIdShape } from "./fields.ts";
import type {
  ApiKeyPrincipal,
  CertificatePrincipal,
  Jwk,
  JwkSet,
  JwtAlgorithm,
  JwtPrincipal,
  Principal,
} from "./manifest.ts";
import { described, flag, list, mapped, object, optional, type Shape, text, variant, word } from "./shape/index.ts";

const base64url = text({ expected: "base64url without padding", pattern: "^[A-Za-z0-9_-]+$", max: 2048 });
const plain = text({ expected: "1 to 512 visible ASCII characters", pattern: "^[!-~]+$", max: 512 });
const chain = text({ expected: "base64", pattern: "^[A-Za-z0-9+/]+={0,2}$", max: 16_384 });

const about = {
  kid: optional(plain),
  alg: optional(plain),
  use: optional(word(["sig"])),
  key_ops: optional(list(word(["verify"]), { min: 1, max: 1 })),
  x5c: optional(list(chain, { min: 1, max: 8 })),
  x5t: optional(base64url),
  "x5t#S256": optional(base64url),
};

// Public members only: `d`, `p`, `k` and the like are unknown here, since the Manifest is shown to every client.
const jwkShape: Shape<Jwk> = variant<Jwk>(
  {
    EC: object({ kty: word(["EC"]), crv: word(["P-256", "P-384", "P-521"]), x: base64url, y: base64url, ...about }),
    OKP: object({ kty: word(["OKP"]), crv: word(["Ed25519"]), x: base64url, ...about }),
    RSA: object({ kty: word(["RSA"]), n: base64url, e: base64url, ...about }),
  },
  "a public key with kty EC, OKP or RSA",
  (jwk) => jwk.kty,
);

const algorithmShape: Shape<JwtAlgorithm> = word([
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "PS256",
  "PS384",
  "PS512",
  "RS256",
]);

const apiKeyShape: Shape<string> = text({
  expected: '"sha256:" and 64 lower-case hex digits',
  pattern: "^sha256:[0-9a-f]{64}$",
  max: 71,
  hint: "write the digest that `blindbox keys` prints, never the key itself",
});

const jwtShape: Shape<JwtPrincipal["jwt"]> = object<JwtPrincipal["jwt"]>({
  issuer: text({ expected: "an https URL", pattern: "^https://[!-~]+$", max: 512 }),
  audience: text({ expected: "1 to 256 visible ASCII characters", pattern: "^[!-~]+$", max: 256 }),
  keys: object<JwkSet>({ keys: list(jwkShape, { min: 1, max: 16 }) }),
  algorithms: list(algorithmShape, { min: 1, max: 8, unique: true }),
});

/** The key material of each kind of caller. */
export const callerShapes: {
  readonly apiKey: Shape<string>;
  readonly jwt: Shape<JwtPrincipal["jwt"]>;
  readonly certificate: Shape<CertificatePrincipal["certificate"]>;
} = { apiKey: apiKeyShape, jwt: jwtShape, certificate: object({ issuer: digestShape }) };

const KINDS = ["apiKey", "jwt", "certificate"];

const resolvedApiKey = object<ApiKeyPrincipal>({ id: principalIdShape, apiKey: apiKeyShape, audit: flag });

type ApiKeySource = Omit<ApiKeyPrincipal, "audit"> & { readonly audit?: boolean };

const writtenApiKey: Shape<ApiKeyPrincipal> = mapped(
  object<ApiKeySource>({
    id: principalIdShape,
    apiKey: apiKeyShape,
    audit: optional(described(flag, "Whether the caller may read the egress ledger. Left out: false.")),
  }),
  (principal) => ({ audit: false, ...principal }),
);

/** A principal, known by exactly one kind of key material. As written, `audit` may be left out. */
export function principalShape(form: "source" | "resolved"): Shape<Principal> {
  return variant<Principal>(
    {
      apiKey: form === "source" ? writtenApiKey : resolvedApiKey,
      jwt: object<JwtPrincipal>({ id: principalIdShape, jwt: jwtShape }),
      certificate: object<CertificatePrincipal>({ id: principalIdShape, certificate: callerShapes.certificate }),
    },
    "a map with id and one of apiKey, jwt or certificate",
    (value) => {
      const found = KINDS.filter((kind) => Object.hasOwn(value, kind));
      return found.length === 1 ? found[0] : undefined;
    },
  );
}
