import { factorShapes, type FactorShapes, MAX_PRINCIPALS } from "../access/principal-shape.ts";
import type { CertificateTerms, Factor, TokenTerms } from "../access/principal.ts";
import { egressShape, egressSourceShape, MODES } from "../egress/shape.ts";
import { digestShape } from "../fields.ts";
import type { Egress } from "../manifest.ts";
import { formatProblem, type Problem } from "../problem.ts";
import {
  documentSite,
  flag,
  isMap,
  list,
  mapped,
  object,
  optional,
  readsQuietly,
  type Shape,
  text,
  variant,
  word,
} from "../shape/index.ts";
import { HEALTH, LOGS, METRICS } from "./order.ts";
import type { CheckedPrincipal, CheckedRequirement } from "./requirement.ts";

/** Most ways out that a requirement lists: four times what one Manifest can hold. */
const MAX_ACCEPTED = 256;

const id = optional(text({ expected: "a string of 1 to 64 characters", pattern: "^.+$", max: 64 }));

const [written, resolved]: readonly [FactorShapes, FactorShapes] = [factorShapes("source"), factorShapes("resolved")];

/** Whoever accepts what a box has can paste its members; whoever writes them writes as in blindbox.yml. */
function inEitherForm<T>(pasted: Shape<T>, typed: Shape<T>): Shape<T> {
  return { schema: typed.schema, read: (value, at) => readsQuietly(pasted, value) ?? typed.read(value, at) };
}

const KINDS = ["anonymous", "apiKey", "jwt", "certificate", "allOf"];

type Known<K extends string, T> = { readonly id?: string } & { readonly [_ in K]: T };

const apiKey: Shape<CheckedPrincipal> = mapped(
  object<Known<"apiKey", string>>({ id, apiKey: written.apiKey }),
  (read) => ({ factors: [{ apiKey: read.apiKey }] }),
);

const jwt: Shape<CheckedPrincipal> = mapped(
  object<Known<"jwt", TokenTerms>>({ id, jwt: inEitherForm(resolved.jwt, written.jwt) }),
  (read) => ({ factors: [{ jwt: read.jwt }] }),
);

const certificate: Shape<CheckedPrincipal> = mapped(
  object<Known<"certificate", CertificateTerms>>({
    id,
    certificate: inEitherForm(resolved.certificate, written.certificate),
  }),
  (read) => ({ factors: [{ certificate: read.certificate }] }),
);

const allOf: Shape<CheckedPrincipal> = mapped(
  object<Known<"allOf", readonly Factor[]>>({ id, allOf: inEitherForm(resolved.allOf, written.allOf) }),
  (read) => ({ factors: read.allOf }),
);

const principal: Shape<CheckedPrincipal> = variant<CheckedPrincipal>(
  { anonymous: object<{ readonly anonymous: true }>({ anonymous: isTrue() }), apiKey, jwt, certificate, allOf },
  "a map with one of anonymous, apiKey, jwt, certificate or allOf",
  (value) => {
    const found = KINDS.filter((kind) => Object.hasOwn(value, kind));
    return found.length === 1 ? found[0] : undefined;
  },
);

const principals = object<CheckedRequirement["access"]["principals"]>({
  subsetOf: list(principal, { min: 0, max: MAX_PRINCIPALS }),
});

const audit: Shape<CheckedRequirement["audit"]> = {
  schema: { anyOf: [flag.schema, principals.schema] },
  read: (value, at) => {
    if (isMap(value)) return principals.read(value, at);
    return typeof value === "boolean" ? value : at.problem("true, false or { subsetOf }", "another value");
  },
};

const image: Shape<string> = {
  schema: { anyOf: [{ const: "any" }, digestShape.schema] },
  read: (value, at) => (value === "any" ? value : digestShape.read(value, at)),
};

const requirement: Shape<CheckedRequirement> = object<CheckedRequirement>({
  app: object<CheckedRequirement["app"]>({ image }),
  access: object<CheckedRequirement["access"]>({ principals, websocket: flag, recorded: flag }),
  egress: object<CheckedRequirement["egress"]>({
    subsetOf: list(inEitherForm<Egress>(egressShape, egressSourceShape), { min: 0, max: MAX_ACCEPTED }),
    modes: list(word(MODES), { min: 0, max: MODES.length, unique: true }),
  }),
  logs: word(LOGS),
  operations: object<CheckedRequirement["operations"]>({ health: word(HEALTH), metrics: word(METRICS) }),
  audit,
});

/** Names of all parts, each mandatory. */
export const REQUIREMENT_PARTS: readonly string[] = ["app", "access", "egress", "logs", "operations", "audit"];

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
