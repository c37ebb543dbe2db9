import { runtimeDigest } from "./parse.ts";
import type { Release, ReleaseReferenceValues } from "./release.ts";

/**
 * The Reference Values of a Release, each tuple with the Manifest and the runtime that it belongs to, so that a verifier
 * can demand all of **one** release and never a mixture of two.
 */
export async function referenceTuples(release: Release): Promise<readonly ReleaseReferenceValues[]> {
  const runtime = await runtimeDigest(release.runtime);
  const label = labelOf(release);
  return release.referenceValues.map((tuple) => ({ ...tuple, manifest: release.manifest, runtime, release: label }));
}

function labelOf({ product, channel, version, sequence }: Release): string {
  return `${product}/${channel} ${version} (sequence ${sequence})`;
}
