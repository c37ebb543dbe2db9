import { admittedIdShape, BOUNDS, METHODS, methodsShape, rulePathShape } from "../fields.ts";
import {
  described,
  flag,
  integer,
  isMap,
  list,
  object,
  optional,
  record,
  refined,
  type Shape,
  type Site,
  text,
  variant,
  word,
} from "../shape/index.ts";
import { METHOD_OVERRIDES } from "./method-overrides.ts";
import { MAX_PRINCIPALS } from "./principal-shape.ts";
import type { AccessRule, HeaderTerm, Limits } from "./rule.ts";

/** Most rules of one Manifest. */
export const MAX_RULES = 1000;

/** Most conditions of one rule. Each is a comparison with every request that comes so far. */
const MAX_HEADERS = 8;

// Credentials (a Manifest is public), what frames a message, and what the box itself says or drops.
const NOT_CONDITIONS = [
  "authorization|connection|content-length|cookie|expect|forwarded|host|http2-settings|keep-alive",
  "proxy-authenticate|proxy-authorization|proxy-connection|te|trailer|transfer-encoding|upgrade|via",
].join("|");

const headerName = text({
  expected: "the name of a header in lower case, which is neither a credential nor about the connection",
  pattern: `^(?!(?:${NOT_CONDITIONS})$)(?!x-(?:blindbox|forwarded)-)[a-z0-9][a-z0-9-]{0,63}$`,
  max: 64,
});

const headerValue = text({
  expected: "1 to 256 visible ASCII characters, with spaces within",
  pattern: "^[!-~](?:[ -~]*[!-~])?$",
  max: 256,
});

const headerValues = list(headerValue, { min: 1, max: 16, unique: true });

const presence = object<{ readonly present: boolean }>({ present: flag });

const headerTerm: Shape<HeaderTerm> = variant<HeaderTerm>(
  { oneOf: object<{ readonly oneOf: readonly string[] }>({ oneOf: headerValues }), present: presence },
  "a map with oneOf or present",
  (value) => Object.keys(value)[0],
);

/** One value, a list of values, or `{ present: true }`; what the resolved form has is taken too. */
const writtenTerm: Shape<HeaderTerm> = {
  schema: { anyOf: [headerValue.schema, headerValues.schema, headerTerm.schema] },
  read(value, at) {
    if (isMap(value)) return headerTerm.read(value, at);
    const oneOf = Array.isArray(value) ? headerValues.read(value, at) : toList(headerValue.read(value, at));
    return oneOf === undefined ? undefined : { oneOf };
  },
};

function toList(value: string | undefined): readonly string[] | undefined {
  return value === undefined ? undefined : [value];
}

const METHOD_WORDS: readonly string[] = METHODS;

// Any other value would let a caller name a method that no rule names.
function reportOverrides(headers: Readonly<Record<string, HeaderTerm>>, at: Site): void {
  for (const [name, term] of Object.entries(headers)) {
    if (!METHOD_OVERRIDES.has(name)) continue;
    const isListed = "oneOf" in term ? term.oneOf.every((value) => METHOD_WORDS.includes(value)) : !term.present;
    if (isListed) continue;
    const hint = "this header makes the application take another method: list the methods that it may name";
    at.member(name).problem("a list of methods in capitals", "values that are no methods", hint);
  }
}

function headersOf(term: Shape<HeaderTerm>): Shape<Readonly<Record<string, HeaderTerm>>> {
  return refined(record(headerName, term, MAX_HEADERS), reportOverrides);
}

const allow = list(admittedIdShape, { min: 1, max: MAX_PRINCIPALS, unique: true });

const path = described(rulePathShape, "A literal path, or one that ends in /** for everything below that folder.");

const upgradeShape: Shape<AccessRule["upgrade"]> = word(["none", "websocket"]);

const limitShapes = {
  requestsPerMinute: integer(...BOUNDS.limits.requestsPerMinute),
  totalPerMinute: integer(...BOUNDS.limits.totalPerMinute),
  concurrent: integer(...BOUNDS.limits.concurrent),
  time: integer(...BOUNDS.limits.time),
};

/** One rule in the resolved form. */
export const ruleShape: Shape<AccessRule> = object<AccessRule>({
  allow,
  methods: methodsShape,
  path,
  headers: headersOf(headerTerm),
  upgrade: upgradeShape,
  audit: flag,
  limits: object<Limits>({
    ...limitShapes,
    body: integer(...BOUNDS.limits.body),
    response: integer(...BOUNDS.limits.response),
  }),
});

/** One rule as it is written, after reading: what was left out is absent. */
export interface AccessRuleSource extends Pick<AccessRule, "allow" | "methods" | "path"> {
  /** Left out: no conditions. */
  readonly headers?: AccessRule["headers"];
  /** Left out: `none`. */
  readonly upgrade?: AccessRule["upgrade"];
  /** Left out: false. */
  readonly audit?: boolean;
  /** Left out, or in part: `DEFAULT_LIMITS`. */
  readonly limits?: Partial<Limits>;
}

/** What a written rule spells in its own way. */
export interface WrittenShapes {
  readonly methods: Shape<AccessRule["methods"]>;
  readonly size: (bounds: readonly [number, number]) => Shape<number>;
}

/** One rule as it is written. */
export function ruleSourceShape({ methods, size }: WrittenShapes): Shape<AccessRuleSource> {
  return object<AccessRuleSource>({
    allow,
    methods,
    path,
    headers: optional(
      described(headersOf(writtenTerm), "Conditions by lower-case name: a value, a list of values, { present: true }."),
    ),
    upgrade: optional(described(upgradeShape, "websocket: a request may become one. Left out: none.")),
    audit: optional(
      described(flag, "Whether each request that the rule lets through is written to the access log. Left out: false."),
    ),
    limits: optional(
      object<Partial<Limits>>({
        body: optional(described(size(BOUNDS.limits.body), "Of one request body. Left out: 1MiB.")),
        requestsPerMinute: optional(described(limitShapes.requestsPerMinute, "Of one caller. Left out: 600.")),
        totalPerMinute: optional(described(limitShapes.totalPerMinute, "Of all callers. Left out: 6000.")),
        concurrent: optional(described(limitShapes.concurrent, "Open requests of one caller. Left out: 32.")),
        time: optional(described(limitShapes.time, "Seconds for a whole request. Left out: 300.")),
        response: optional(described(size(BOUNDS.limits.response), "Of one answer. Left out: 100MiB.")),
      }),
    ),
  });
}
