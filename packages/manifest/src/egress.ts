import { methodsShape, portShape, rulePathShape } from "./fields.ts";
import type { Egress, Method, PassthroughEgress, VerifiedEgress } from "./manifest.ts";
import { list, mapped, object, optional, type Shape, text, variant, word } from "./shape/index.ts";

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";

const EXPECTED = "a map with mode verified or passthrough";

// The last label begins with a letter, so an IP literal is no host name.
const host = text({
  expected: "a lower-case DNS name with at least one dot, or *. and one",
  pattern: `^(?:\\*\\.)?(?:${LABEL}\\.)+(?=[a-z])${LABEL}$`,
  max: 253,
});

const ports = list(portShape, { min: 1, max: 16, unique: true });

const paths = list(rulePathShape, { min: 1, max: 64, unique: true });

const passthrough: Shape<PassthroughEgress> = object<PassthroughEgress>({ mode: word(["passthrough"]), host, ports });

/** A way out in the resolved form. */
export const egressShape: Shape<Egress> = variant<Egress>(
  {
    verified: object<VerifiedEgress>({ mode: word(["verified"]), host, ports, methods: methodsShape, paths }),
    passthrough,
  },
  EXPECTED,
  (value) => value.mode,
);

type VerifiedEgressSource = Omit<VerifiedEgress, "mode"> & { readonly mode?: "verified" };

/** A way out as written: the mode may be left out, and is then the stronger one. */
export function egressSourceShape(methods: Shape<readonly Method[]>): Shape<Egress> {
  const verified = object<VerifiedEgressSource>({ mode: optional(word(["verified"])), host, ports, methods, paths });
  return variant<Egress>(
    { verified: mapped(verified, (entry): VerifiedEgress => ({ ...entry, mode: "verified" })), passthrough },
    EXPECTED,
    (value) => (Object.hasOwn(value, "mode") ? value.mode : "verified"),
  );
}
