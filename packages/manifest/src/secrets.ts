import type { Manifest } from "./manifest.ts";
import type { Problem } from "./problem.ts";

const SECRET_NAME = /secret|passw(?:or)?d|token|credential|(?:api|private|access)[_.-]?key/i;

/**
 * Environment variables whose names sound like secrets: everything in a Manifest is shown to every client. A warning for
 * the vendor, not a refusal, and no promise that the others are none.
 */
export function secretLookingEnv(manifest: Manifest): readonly Problem[] {
  return Object.keys(manifest.app.env)
    .filter((name) => SECRET_NAME.test(name))
    .map((name) => ({
      path: `app.env.${name}`,
      expected: "no secret",
      actual: "a name that sounds like one",
      hint: "every client is shown the manifest; let the application receive secrets in a request",
    }));
}
