export { isMap, list, type Members, object, record, variant } from "./collection.ts";
export { kindOf, oneOfWords, shown } from "./describe.ts";
export { flag, integer, isIntegerWithin, nullable, text, type TextRules, word } from "./scalar.ts";
export {
  checked,
  described,
  type JsonSchema,
  mapped,
  optional,
  type OptionalShape,
  readsQuietly,
  refined,
  type Shape,
  withHint,
} from "./shape.ts";
export { DOCUMENT, documentSite, type Site } from "./site.ts";
