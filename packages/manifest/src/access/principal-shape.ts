import { principalIdShape } from "../fields.ts";
import { described, flag, list, mapped, object, optional, refined, type Shape, text, variant } from "../shape/index.ts";
import { certificateShape, certificateSourceShape } from "./certificate-shape.ts";
import {
  type ApiKeyPrincipal,
  type CertificatePrincipal,
  type CertificateTerms,
  type CombinedPrincipal,
  type Factor,
  type FactorKind,
  factorsOf,
  type JwtPrincipal,
  kindOfFactor,
  type Principal,
  type TokenTerms,
} from "./principal.ts";
import { fittingAlgorithms } from "./token-keys.ts";
import { tokenShape, tokenSourceShape } from "./token-shape.ts";

/** Most callers of one Manifest. */
export const MAX_PRINCIPALS = 10_000;

/** How key material is spelt: as people write it, or with everything filled in. */
export type Form = "source" | "resolved";

const apiKeyShape: Shape<string> = text({
  expected: '"sha256:" and 64 lower-case hex digits',
  pattern: "^sha256:[0-9a-f]{64}$",
  max: 71,
  hint: "write the digest that `blindbox keys` prints, never the key itself",
});

/** The key material of each kind. */
export interface FactorShapes {
  readonly apiKey: Shape<string>;
  readonly jwt: Shape<TokenTerms>;
  readonly certificate: Shape<CertificateTerms>;
  /** Several of them. */
  readonly allOf: Shape<readonly Factor[]>;
}

const KINDS: readonly FactorKind[] = ["apiKey", "jwt", "certificate"];

/** Tells by which members a map means to be key material; undefined: by none, or by several. */
function kindOf(value: Readonly<Record<string, unknown>>): string | undefined {
  const found = [...KINDS, "allOf", "anonymous"].filter((kind) => Object.hasOwn(value, kind));
  return found.length === 1 ? found[0] : undefined;
}

/** The key material of each kind, as written or resolved. */
export function factorShapes(form: Form): FactorShapes {
  const jwt = refined(form === "source" ? tokenSourceShape : tokenShape, reportUselessKeys);
  const certificate = form === "source" ? certificateSourceShape : certificateShape;
  const factor = variant<Factor>(
    {
      apiKey: object<{ readonly apiKey: string }>({ apiKey: apiKeyShape }),
      jwt: object<{ readonly jwt: TokenTerms }>({ jwt }),
      certificate: object<{ readonly certificate: CertificateTerms }>({ certificate }),
    },
    "a map with one of apiKey, jwt or certificate",
    kindOf,
  );
  return {
    apiKey: apiKeyShape,
    jwt,
    certificate,
    allOf: refined(list(factor, { min: 2, max: 3 }), reportRepeatedKinds),
  };
}

const reportUselessKeys: Parameters<typeof refined<TokenTerms>>[1] = ({ keys, algorithms }, at) => {
  if ("url" in keys) return;
  keys.keys.forEach((key, index) => {
    if (fittingAlgorithms(key).some((each) => algorithms.includes(each))) return;
    const hint = "every key must be one that a listed algorithm uses";
    at.member("keys").member("keys").item(index).problem("a key of a listed algorithm", "a key of another", hint);
  });
};

const reportRepeatedKinds: Parameters<typeof refined<readonly Factor[]>>[1] = (factors, at) => {
  const kinds = factors.map(kindOfFactor);
  kinds.forEach((kind, index) => {
    if (kinds.indexOf(kind) === index) return;
    at.item(index).problem(
      "another kind of credential",
      "a kind that is there already",
      "a caller presents one of each",
    );
  });
};

const id = principalIdShape;

const EXPECTED = "a map with id and one of apiKey, jwt, certificate or allOf";

function resolvedPrincipal({ apiKey, jwt, certificate, allOf }: FactorShapes): Shape<Principal> {
  const audit = flag;
  return variant<Principal>(
    {
      apiKey: object<ApiKeyPrincipal>({ id, apiKey, audit }),
      jwt: object<JwtPrincipal>({ id, jwt, audit }),
      certificate: object<CertificatePrincipal>({ id, certificate, audit }),
      allOf: object<CombinedPrincipal>({ id, allOf, audit }),
    },
    EXPECTED,
    kindOf,
  );
}

type Written<P extends Principal> = Omit<P, "audit"> & { readonly audit?: boolean };

function writtenPrincipal({ apiKey, jwt, certificate, allOf }: FactorShapes): Shape<Principal> {
  const audit = optional(
    described(flag, "Whether the caller may read the access log and the egress ledger. Left out: false."),
  );
  const none = { audit: false };
  return variant<Principal>(
    {
      apiKey: mapped(object<Written<ApiKeyPrincipal>>({ id, apiKey, audit }), (read) => ({ ...none, ...read })),
      jwt: mapped(object<Written<JwtPrincipal>>({ id, jwt, audit }), (read) => ({ ...none, ...read })),
      certificate: mapped(object<Written<CertificatePrincipal>>({ id, certificate, audit }), (read) => ({
        ...none,
        ...read,
      })),
      allOf: mapped(object<Written<CombinedPrincipal>>({ id, allOf, audit }), (read) => ({ ...none, ...read })),
    },
    EXPECTED,
    kindOf,
  );
}

/** A principal, known by one kind of key material or by several together. As written, `audit` may be left out. */
export function principalShape(form: Form): Shape<Principal> {
  return form === "source" ? writtenPrincipal(factorShapes(form)) : resolvedPrincipal(factorShapes(form));
}

/** One text for everything that makes a caller known, whatever its id: the same text is the same caller. */
export function materialText(principal: Principal, write: (factor: Factor) => string): string {
  return factorsOf(principal).map(write).toSorted().join("\n");
}
