import type { Manifest } from "./manifest.ts";
import type { Problem } from "./problem.ts";

/**
 * What a valid Manifest asks for and this version cannot enforce yet. Builder and enclave refuse a Manifest for which this
 * is not empty: a rule that is read and not enforced would be worse than none.
 */
export function unsupportedYet(manifest: Manifest): readonly Problem[] {
  return manifest.access.principals.flatMap((principal, index) => {
    if ("apiKey" in principal) return [];
    const kind = "jwt" in principal ? "jwt" : "certificate";
    return [notYet(`access.principals[${index}].${kind}`, "a principal with apiKey", kind)];
  });
}

function notYet(path: string, expected: string, actual: string): Problem {
  return { path, expected, actual, hint: "not supported yet" };
}
