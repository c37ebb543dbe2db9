import { factorsOf, type Principal } from "./principal.ts";

/** One place at which the keys of a token issuer are said to be published. */
export interface KeyUrl {
  readonly issuer: string;
  readonly url: string;
  /** Path in the Manifest. */
  readonly path: string;
}

/** Every place of a document at which keys of token issuers are pinned by thumbprint, in its order. */
export function keyUrlsOf(principals: readonly Principal[]): readonly KeyUrl[] {
  return principals.flatMap((principal, index) =>
    factorsOf(principal).flatMap((factor, position) => {
      if (!("jwt" in factor) || !("url" in factor.jwt.keys)) return [];
      const holder = "allOf" in principal ? `allOf[${position}].jwt` : "jwt";
      const { issuer, keys } = factor.jwt;
      return [{ issuer, url: keys.url, path: `access.principals[${index}].${holder}.keys.url` }];
    }),
  );
}
