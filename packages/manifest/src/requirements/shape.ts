import { egressShape, egressSourceShape, MODES } from "../egress/shape.ts";
import type { Egress } from "../manifest.ts";
import { callerShapes } from "../principals.ts";
import { formatProblem, type Problem } from "../problem.ts";
import {
  documentSite,
  flag,
  isMap,
  list,
  object,
  optional,
  readsQuietly,
  type Shape,
  text,
  variant,
  word,
} from "../shape/index.ts";
import type { CheckedRequirement, RequiredPrincipal } from "./requirement.ts";

/** Most principals, and most rules, that a requirement lists: four times what one Manifest can hold. */
const MAX_ACCEPTED = 256;

const id = optional(text({ expected: "a string of 1 to 64 characters", pattern: "^.+$", max: 64 }));

const KINDS = ["anonymous", "apiKey", "jwt", "certificate"];

const principal: Shape<RequiredPrincipal> = variant<RequiredPrincipal>(
  {
    anonymous: object({ anonymous: isTrue() }),
    apiKey: object({ id, apiKey: callerShapes.apiKey }),
    jwt: object({ id, jwt: callerShapes.jwt }),
    certificate: object({ id, certificate: callerShapes.certificate }),
  },
  "a map with one of anonymous, apiKey, jwt or certificate",
  (value) => {
    const found = KINDS.filter((kind) => Object.hasOwn(value, kind));
    return found.length === 1 ? found[0] : undefined;
  },
);

const principals = object<{ readonly subsetOf: readonly RequiredPrincipal[] }>({
  subsetOf: list(principal, { min: 0, max: MAX_ACCEPTED }),
});

// Whoever accepts what a box has can paste its rules; whoever writes them writes as in blindbox.yml.
const rule: Shape<Egress> = {
  schema: egressSourceShape.schema,
  read: (value, at) => readsQuietly(egressShape, value) ?? egressSourceShape.read(value, at),
};

const audit: Shape<CheckedRequirement["audit"]> = {
  schema: { anyOf: [flag.schema, principals.schema] },
  read: (value, at) => {
    if (isMap(value)) return principals.read(value, at);
    return typeof value === "boolean" ? value : at.problem("true, false or { subsetOf }", "another value");
  },
};

const requirement: Shape<CheckedRequirement> = object<CheckedRequirement>({
  access: object<CheckedRequirement["access"]>({ principals }),
  egress: object<CheckedRequirement["egress"]>({
    subsetOf: list(rule, { min: 0, max: MAX_ACCEPTED }),
    modes: list(word(MODES), { min: 0, max: MODES.length, unique: true }),
  }),
  logs: word(["none", "metadata", "app"]),
  audit,
});

/** Names of all parts, each mandatory. */
export const REQUIREMENT_PARTS: readonly string[] = ["access", "egress", "logs", "audit"];

/**
 * Reads a `ManifestRequirement`.
 *
 * @param path how the caller calls it, for the message
 * @throws TypeError that names everything that is missing, unknown or wrong.
 */
export function readRequirement(value: unknown, path: string): CheckedRequirement {
  const problems: Problem[] = [];
  const read = requirement.read(value, documentSite(problems));
  if (read !== undefined && problems.length === 0) return read;
  throw new TypeError(`${path} is not a complete requirement: ${problems.map(formatProblem).join("; ")}`);
}

function isTrue(): Shape<true> {
  return {
    schema: { const: true },
    read: (value, at) => (value === true ? value : at.problem("true", "another value")),
  };
}
