import { factorsOf } from "./access/principal.ts";
import type { Manifest } from "./manifest.ts";
import type { Problem } from "./problem.ts";

/**
 * What a valid Manifest asks for and this version cannot enforce yet. Builder and enclave refuse a Manifest for which this
 * is not empty: a rule that is read and not enforced would be worse than none.
 */
export function unsupportedYet({ access }: Manifest): readonly Problem[] {
  return access.principals.flatMap((principal, index) =>
    factorsOf(principal).some((factor) => "jwt" in factor && "url" in factor.jwt.keys)
      ? [notYet(`access.principals[${index}].jwt.keys`, "the keys themselves", "a URL and thumbprints")]
      : [],
  );
}

function notYet(path: string, expected: string, actual: string): Problem {
  return { path, expected, actual, hint: "not supported yet" };
}
