import { methodsShape, portShape, rulePathShape } from "../fields.ts";
import type { Method } from "../method.ts";
import { kindOf, list, type Shape, withHint, word } from "../shape/index.ts";

/** Where the box answers itself, whatever the application wants to reach. */
const DNS_PORT = 53;

const port: Shape<number> = {
  schema: { ...portShape.schema, not: { const: DNS_PORT } },
  read(value, at) {
    if (value !== DNS_PORT) return portShape.read(value, at);
    return at.problem(`a port other than ${DNS_PORT}`, `${DNS_PORT}`, "DNS is answered by the box itself");
  },
};

/** The ports of one rule. */
export const portsShape: Shape<readonly number[]> = list(port, { min: 1, max: 64, unique: true });

/** What a rule with requests says of them, in either form. */
export interface RequestShapes {
  readonly methods: Shape<readonly Method[] | "any">;
  readonly paths: Shape<readonly string[] | "any">;
}

const paths = list(rulePathShape, { min: 1, max: 64, unique: true });

/** Methods and paths in the resolved form: a list, or `any`. */
export const requestShapes: RequestShapes = { methods: orAny(methodsShape, ["any"]), paths: orAny(paths, ["any"]) };

/** Methods and paths as written: `[any]`, which access rules know, is `any` too. */
export const requestSourceShapes: RequestShapes = {
  methods: orAny(methodsShape, ["any", ["any"]]),
  paths: orAny(paths, ["any", ["any"]]),
};

/** `trusts: network`, which has to be written: everybody on the way reads and changes what goes through. */
export const trustsShape: Shape<"network"> = withHint(
  word(["network"]),
  "write trusts: network where everybody on the way may read and change what is sent",
);

function orAny<T>(listed: Shape<T>, spellings: readonly unknown[]): Shape<T | "any"> {
  const shape: Shape<T | "any"> = {
    schema: { anyOf: [listed.schema, ...spellings.map((each) => ({ const: each }))] },
    read(value, at) {
      if (spellings.some((each) => JSON.stringify(each) === JSON.stringify(value))) return "any";
      return Array.isArray(value) ? listed.read(value, at) : at.problem("a list, or any", kindOf(value));
    },
  };
  return withHint(shape, "list them, or write any");
}
