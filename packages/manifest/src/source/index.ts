export type { AccessRuleSource, AccessSource, AppSource, ImageFacts, ManifestSource } from "./manifest-source.ts";
export { parseManifestSource, type SourceOptions } from "./parse.ts";
export { DEFAULT_TOKEN_TIMES } from "../access/token-shape.ts";
export { DEFAULT_AUDIT, DEFAULT_OPERATIONS } from "../operations-shape.ts";
export { DEFAULT_LIMITS, DEFAULT_RESOURCES, resolveManifest } from "./resolve.ts";
export { manifestSchema } from "./schema.ts";
export { type PlainText, readYaml } from "./yaml.ts";
