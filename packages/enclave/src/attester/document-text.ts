/** The text of one batch's Evidence document: serialised once, with each caller's proof put in its place. */
import { type EvidenceDocument, formatEvidenceDocument } from "@blindbox/attestation";
import { canonicalJson, maxMerkleLeaves, type MerkleProof, toBase64url } from "@blindbox/encoding";

/** The widest proof there is: where a document takes this one, it takes every other. */
const widest: MerkleProof = {
  index: maxMerkleLeaves - 1,
  size: maxMerkleLeaves,
  path: Array.from({ length: Math.log2(maxMerkleLeaves) }, () => new Uint8Array(32)),
};

/**
 * Returns the function from a proof of this batch to what `formatEvidenceDocument` would make of `document` with it. A
 * Manifest makes a document up to some hundred KiB, which must not be serialised again for each of 4096 callers.
 *
 * @throws EncodingError where `document` would not be read back with the widest proof.
 */
export function documentText(document: EvidenceDocument): (proof: MerkleProof | null) => string {
  const without = formatEvidenceDocument({ ...document, proof: null });
  const at = firstDifference(without, formatEvidenceDocument({ ...document, proof: widest }));
  const head = without.slice(0, at);
  const tail = without.slice(at + "null".length);
  return (proof) => head + (proof === null ? "null" : proofText(proof)) + tail;
}

// Two documents that differ in nothing but the proof differ first where it starts: `null` has no `{`.
function firstDifference(one: string, other: string): number {
  let at = 0;
  while (one.charCodeAt(at) === other.charCodeAt(at)) at += 1;
  return at;
}

function proofText({ index, size, path }: MerkleProof): string {
  return canonicalJson({ index, size, path: path.map((node) => toBase64url(node)) });
}
