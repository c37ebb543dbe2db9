import { compareRequirement, type PolicyChange, policyDiff, type RequirementDifference } from "@blindbox/manifest";
import type { PolicyInput, RequirementInput } from "./policy-input.ts";

/** Members that a written Manifest leaves to the image, and so does not know. */
const OF_IMAGE = /^app\.(?:image|command|workingDir|user|env(?:\..*)?)$/;

/** What changed from one file to the other, and whether something of it cannot be known before the image is. */
export interface Comparison {
  readonly changes: readonly PolicyChange[];
  readonly isPartial: boolean;
}

/** Two Manifests, of which either may be as written: then what only the image knows is left out of the comparison. */
export async function compareInputs(before: PolicyInput, after: PolicyInput): Promise<Comparison> {
  const changes = await policyDiff(before.manifest, after.manifest);
  const [from, to] = [before.writtenImage, after.writtenImage];
  if (from === null && to === null) return { changes, isPartial: false };
  if (from === null || to === null) {
    return { changes: changes.filter(({ path }) => !OF_IMAGE.test(path)), isPartial: true };
  }
  const other: PolicyChange = {
    direction: "changed",
    part: "app",
    path: "app.image",
    document: "after",
    words: `the image goes from ${from} to ${to}: what it does with the same rights nobody can compare`,
  };
  return { changes: from === to ? changes : [other, ...changes], isPartial: true };
}

/** In what a Manifest goes beyond a requirement. Which image a written one will run is not known: no digest is met. */
export async function differencesOf(
  { manifest, writtenImage }: PolicyInput,
  { requirement }: RequirementInput,
): Promise<readonly RequirementDifference[]> {
  const differences = await compareRequirement(manifest, requirement);
  if (writtenImage === null) return differences;
  return differences.map((each) =>
    each.part === "app" ? { ...each, actual: "an image that is not resolved yet", reason: UNRESOLVED } : each,
  );
}

const UNRESOLVED = "which image will run is known when the box is built: name the built box";
