/** Is a token's signature its issuer's? By keys that the Manifest holds or pins alone, and once for each token. */
import { hash } from "node:crypto";
import { fittingAlgorithms, type TokenFacts, type TokenIssuer } from "@blindbox/manifest";
import { compactVerify, errors, importJWK } from "jose";
import { createIssuerKeys, type IssuerKeys, type KeyReading } from "./issuer-keys.ts";
import type { SigningKey } from "./published-set.ts";
import { readTokenForm, type TokenForm } from "./token-form.ts";

/** Verifies tokens of the issuers that a Manifest names. */
export interface TokenVerifier {
  /**
   * The facts of a token whose signature holds; null for every other text. Says nothing of audience, times or claims: the
   * access decider looks at those each time. A token that was verified before is answered at once. One of an issuer that
   * publishes its keys may wait for these: as long as one request for them takes.
   */
  verify(token: string): TokenFacts | null | Promise<TokenFacts | null>;
}

/** What a verifier is made of. */
export interface TokenVerifierOptions extends KeyReading {
  readonly issuers: readonly TokenIssuer[];
  /** Left out: {@link maxKnownTokens}. */
  readonly maxKnown?: number;
}

/** About 1 KiB each: 10 MiB at most. The oldest makes room, and is verified once more when it comes again. */
export const maxKnownTokens = 10_000;

/** Imported keys: a promise each, so that a burst of tokens imports a key once. */
type ImportedKeys = Map<string, Promise<Awaited<ReturnType<typeof importJWK>>>>;

/** An issuer, its keys as they are now, and what was made of them. */
interface Issuer {
  readonly algorithms: readonly string[];
  readonly keys: IssuerKeys;
  readonly imported: ImportedKeys;
}

interface KnownToken {
  readonly facts: TokenFacts;
  readonly issuer: Issuer;
}

/** Makes a {@link TokenVerifier}. */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { maxKnown = maxKnownTokens } = options;
  const byName = readIssuers(options);
  const known = new Map<string, KnownToken>();
  return {
    verify(token) {
      // The whole token, signature included: a changed one is another token.
      const name = hash("sha256", token, "base64url");
      const there = known.get(name);
      if (there !== undefined) {
        there.issuer.keys.refreshStale();
        if (there.issuer.keys.includes(there.facts.key)) return there.facts;
        known.delete(name);
      }
      const form = readTokenForm(token);
      const issuer = form === null ? undefined : byName.get(form.issuer);
      if (form === null || issuer === undefined || !issuer.algorithms.includes(form.algorithm)) return null;
      return verifyFor(token, form, issuer).then((facts) => {
        if (facts !== null) keep(known, name, { facts, issuer }, maxKnown);
        return facts;
      });
    },
  };
}

function readIssuers({ issuers, ...reading }: TokenVerifierOptions): ReadonlyMap<string, Issuer> {
  const keys = createIssuerKeys(issuers, reading);
  const imported: ImportedKeys = new Map();
  const entries = issuers.flatMap(({ issuer, algorithms }): [string, Issuer][] => {
    const own = keys.get(issuer);
    return own === undefined ? [] : [[issuer, { algorithms, keys: own, imported }]];
  });
  return new Map(entries);
}

function keep(known: Map<string, KnownToken>, name: string, token: KnownToken, maxKnown: number): void {
  const [oldest] = known.keys();
  if (known.size >= maxKnown && oldest !== undefined) known.delete(oldest);
  known.set(name, token);
}

/** By the keys that are known, and else once more by those that are published by now, where it is time to ask. */
async function verifyFor(token: string, form: TokenForm, issuer: Issuer): Promise<TokenFacts | null> {
  issuer.keys.refreshStale();
  const facts = await verifySignature(token, form, issuer);
  if (facts !== null) return facts;
  const refreshed = issuer.keys.refresh();
  if (refreshed === null) return null;
  await refreshed;
  return verifySignature(token, form, issuer);
}

async function verifySignature(token: string, form: TokenForm, { keys, imported }: Issuer): Promise<TokenFacts | null> {
  for (const key of candidates(keys.all(), form)) {
    if (await isSignedBy(token, form.algorithm, key, imported)) {
      return { algorithm: form.algorithm, key: key.thumbprint, claims: form.claims };
    }
  }
  return null;
}

/**
 * Keys for the token's algorithm; of these, keys of the name that the token gives and those without a name, or all of them
 * where it gives none.
 */
function candidates(keys: readonly SigningKey[], { algorithm, keyId }: TokenForm): readonly SigningKey[] {
  return keys
    .filter(({ jwk }) => fittingAlgorithms(jwk).some((fitting) => fitting === algorithm))
    .filter(({ jwk: { kid } }) => keyId === null || kid === undefined || kid === keyId);
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
