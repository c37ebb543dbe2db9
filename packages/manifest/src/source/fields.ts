import { METHODS, methodsShape } from "../fields.ts";
import type { User } from "../manifest.ts";
import type { Method } from "../method.ts";
import { isIntegerWithin, type Shape, shown } from "../shape/index.ts";

/** A list of methods, or `[any]`, which is written out as all of them. */
export const methodsSourceShape: Shape<readonly Method[]> = {
  schema: { anyOf: [methodsShape.schema, { const: ["any"] }] },
  read(value, at) {
    const any = Array.isArray(value) && value.length === 1 && value[0] === "any";
    return any ? METHODS : methodsShape.read(value, at);
  },
};

const USER_PATTERN = "^(?:0|[1-9][0-9]{0,4}):(?:0|[1-9][0-9]{0,4})$";

const MAX_ID = 65_535;

/** `1000`, which is user and group 1000, or `"1000:100"`. */
export const userSourceShape: Shape<User> = {
  schema: {
    anyOf: [
      { type: "integer", minimum: 0, maximum: MAX_ID },
      { type: "string", pattern: USER_PATTERN },
    ],
  },
  read(value, at) {
    const [uid, gid] = typeof value === "string" ? parseUser(value) : [value, value];
    if (isIntegerWithin(uid, 0, MAX_ID) && isIntegerWithin(gid, 0, MAX_ID)) return { uid, gid };
    return at.problem(
      `a user from 0 to ${MAX_ID}, or "user:group"`,
      shown(value),
      "names are not looked up: use numbers",
    );
  },
};

function parseUser(text: string): readonly (number | undefined)[] {
  return new RegExp(USER_PATTERN, "u").test(text) ? text.split(":").map(Number) : [];
}

/** CPUs as a number with at most three decimals, read into thousandths. */
export function cpusShape([min, max]: readonly [number, number]): Shape<number> {
  const bounds = { minimum: min / 1000, maximum: max / 1000 };
  return {
    schema: { type: "number", ...bounds },
    read(value, at) {
      const thousandths = typeof value === "number" ? Math.round(value * 1000) : Number.NaN;
      if (thousandths / 1000 === value && isIntegerWithin(thousandths, min, max)) return thousandths;
      const expected = `a number from ${bounds.minimum} to ${bounds.maximum} with at most three decimals`;
      return at.problem(expected, shown(value));
    },
  };
}
