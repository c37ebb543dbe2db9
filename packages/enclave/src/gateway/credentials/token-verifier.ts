/** Is a token's signature its issuer's? By the keys of the Manifest alone, and once for each token. */
import { hash } from "node:crypto";
import type { Jwk, TokenFacts, TokenIssuer } from "@blindbox/manifest";
import { compactVerify, errors, importJWK } from "jose";
import { readTokenForm, type TokenForm } from "./token-form.ts";

/** Verifies tokens of the issuers that a Manifest names. */
export interface TokenVerifier {
  /**
   * The facts of a token whose signature holds; null for every other text. Says nothing of audience, times or claims: the
   * access decider looks at those each time. A token that was verified before is answered at once.
   */
  verify(token: string): TokenFacts | null | Promise<TokenFacts | null>;
}

/** What a verifier is made of. */
export interface TokenVerifierOptions {
  readonly issuers: readonly TokenIssuer[];
  /** Left out: {@link maxKnownTokens}. */
  readonly maxKnown?: number;
}

/** About 1 KiB each: 10 MiB at most. The oldest makes room, and is verified once more when it comes again. */
export const maxKnownTokens = 10_000;

interface SigningKey {
  readonly jwk: Jwk;
  readonly thumbprint: string;
}

/** Imported keys: a promise each, so that a burst of tokens imports a key once. */
type ImportedKeys = Map<string, Promise<Awaited<ReturnType<typeof importJWK>>>>;

/** Makes a {@link TokenVerifier}. */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { issuers, maxKnown = maxKnownTokens } = options;
  const byName = new Map(issuers.map((issuer) => [issuer.issuer, issuer]));
  const known = new Map<string, TokenFacts>();
  const imported: ImportedKeys = new Map();
  return {
    verify(token) {
      // The whole token, signature included: a changed one is another token.
      const name = hash("sha256", token, "base64url");
      const facts = known.get(name);
      if (facts !== undefined) return facts;
      const form = readTokenForm(token);
      const issuer = form === null ? undefined : byName.get(form.issuer);
      if (form === null || issuer === undefined || !accepts(issuer, form)) return null;
      return verifySignature(token, form, issuer, imported).then((found) => {
        if (found !== null) keep(known, name, found, maxKnown);
        return found;
      });
    },
  };
}

function accepts({ algorithms }: TokenIssuer, { algorithm }: TokenForm): boolean {
  return algorithms.some((each) => each === algorithm);
}

function keep(known: Map<string, TokenFacts>, name: string, facts: TokenFacts, maxKnown: number): void {
  const [oldest] = known.keys();
  if (known.size >= maxKnown && oldest !== undefined) known.delete(oldest);
  known.set(name, facts);
}

async function verifySignature(
  token: string,
  form: TokenForm,
  issuer: TokenIssuer,
  imported: ImportedKeys,
): Promise<TokenFacts | null> {
  for (const key of candidates(issuer.inline, form)) {
    if (await isSignedBy(token, form.algorithm, key, imported)) {
      return { algorithm: form.algorithm, key: key.thumbprint, claims: form.claims };
    }
  }
  return null;
}

/** Keys of the name that the token gives, and those without a name; all of them where it gives none. */
function candidates(keys: readonly SigningKey[], { keyId }: TokenForm): readonly SigningKey[] {
  if (keyId === null) return keys;
  return keys.filter(({ jwk }) => jwk["kid"] === undefined || jwk["kid"] === keyId);
}

async function isSignedBy(token: string, alg: string, key: SigningKey, imported: ImportedKeys): Promise<boolean> {
  try {
    await compactVerify(token, await importedKey(key, alg, imported), { algorithms: [alg] });
    return true;
  } catch (error) {
    // A key of another kind than `alg` is a TypeError there; whatever else goes wrong, the signature does not hold.
    if (error instanceof errors.JOSEError || error instanceof TypeError || isOperationError(error)) return false;
    throw error;
  }
}

function isOperationError(error: unknown): boolean {
  return error instanceof Error && /^(DataError|OperationError|NotSupportedError|InvalidAccessError)$/.test(error.name);
}

function importedKey(
  { jwk, thumbprint }: SigningKey,
  alg: string,
  imported: ImportedKeys,
): Promise<Awaited<ReturnType<typeof importJWK>>> {
  const name = `${thumbprint} ${alg}`;
  const there = imported.get(name);
  if (there !== undefined) return there;
  const { use: _use, key_ops: _operations, ...material } = jwk;
  const key = importJWK({ ...material }, alg);
  imported.set(name, key);
  return key;
}
