export { assessRelease, type Difference } from "./difference.ts";
export { formatRelease, formatRuntime, parseRelease, releaseDigest, runtimeDigest } from "./parse.ts";
export { referenceTuples } from "./reference-values.ts";
export type { ReferenceTuple, Release, ReleaseReferenceValues, ReleaseTee, Runtime } from "./release.ts";
