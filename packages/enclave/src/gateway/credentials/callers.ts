/** From what a request presented to who asks. */
import type { AccessDecider, Identity, TokenFacts } from "@blindbox/manifest";
import type { ClientCertificate } from "./client-certificate.ts";
import type { Presented } from "./presented.ts";
import type { TokenVerifier } from "./token-verifier.ts";

/** Knows callers by what they present. */
export interface Callers {
  /** At once where nothing has to be verified that was not verified before. */
  identify(presented: Presented, certificate: ClientCertificate): Identity | Promise<Identity>;
  /** True where a JWT in `Authorization` is a credential, not the application's own. */
  readonly takesTokens: boolean;
  /** Seconds since 1970, by which credentials are judged. */
  readonly now: () => number;
}

export interface CallersOptions {
  readonly access: AccessDecider;
  readonly tokens: TokenVerifier;
  readonly takesTokens: boolean;
  /** Seconds since 1970. */
  readonly now: () => number;
}

const nobody: Identity = { known: false };

/** Whatever was presented and cannot be verified makes the whole request one of nobody: it is never left out. */
export function createCallers({ access, tokens, takesTokens, now }: CallersOptions): Callers {
  return {
    takesTokens,
    now,
    identify({ apiKey, token }, certificate) {
      if (certificate === "unverifiable") return nobody;
      const decide = (facts: TokenFacts | null): Identity =>
        access.identify({ apiKey, token: facts, certificate }, now());
      if (token === null) return decide(null);
      const facts = tokens.verify(token);
      if (facts === null) return nobody;
      if (!(facts instanceof Promise)) return decide(facts);
      return facts.then((found) => (found === null ? nobody : decide(found)));
    },
  };
}
