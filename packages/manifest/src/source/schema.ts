import type { JsonSchema } from "../shape/index.ts";
import { sourceShape } from "./shape.ts";

/**
 * JSON Schema of the source form, for editors; `blindbox.schema.json` is this value. It knows the structure; what looks
 * across members (ids that come twice, rules that name nobody, the bounds of sizes with a unit) only the parser knows.
 */
export const manifestSchema: JsonSchema = {
  $schema: "http://json-schema.org/draft-07/schema#",
  title: "BlindBox manifest (blindbox.yml)",
  ...sourceShape.schema,
};
