/** One tree over the leaf hashes of everybody who waits, so that all of them need one report of the device. */
import { hash, randomBytes, randomInt } from "node:crypto";
import { type MerkleProof, merkleTree } from "@blindbox/encoding";

/** The root that goes into the Statement, and the proof of each leaf in the order in which they were given. */
export interface Batch {
  readonly challenge: Uint8Array;
  readonly proofs: readonly MerkleProof[];
}

/**
 * Builds the tree over `leaves` (1 to 4096, 32 bytes each), padded to a power of two with random leaves and shuffled:
 * neither the size nor a position tells how many others asked, or in which order.
 */
export async function buildBatch(leaves: readonly Uint8Array[]): Promise<Batch> {
  const size = 2 ** Math.ceil(Math.log2(leaves.length));
  const places = shuffledPlaces(size);
  const placed = places.map((from) => leaves[from] ?? randomBytes(32));
  const tree = await merkleTree(placed, sha256);
  const indexOf = inverse(places);
  return { challenge: tree.root, proofs: leaves.map((_, from) => tree.proof(indexOf[from] ?? -1)) };
}

function sha256(bytes: Uint8Array): Uint8Array {
  return hash("sha256", bytes, "buffer");
}

// Fisher and Yates, with the CSPRNG: Math.random would tell the order of arrival to whoever knows its state.
function shuffledPlaces(size: number): number[] {
  const places = Array.from({ length: size }, (_, index) => index);
  for (let last = size - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1);
    [places[last], places[other]] = [places[other] ?? 0, places[last] ?? 0];
  }
  return places;
}

function inverse(places: readonly number[]): number[] {
  const indexOf: number[] = [];
  places.forEach((from, index) => {
    indexOf[from] = index;
  });
  return indexOf;
}
