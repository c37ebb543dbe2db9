/**
 * The Merkle tree over leaf hashes that lets one report answer many requests. Leaves come as hashes, whose maker puts
 * 0x00 before what it hashes; an inner node is SHA-256(0x01 ‖ left ‖ right), so that neither can be shown as the other.
 */
import { concatBytes } from "./bytes/compare.ts";
import { digest } from "./digest.ts";
import { EncodingError } from "./encoding-error.ts";

/** SHA-256, synchronous or not. */
export type HashBytes = (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** The way from one leaf to the root. `index` and `size` only say which way to go: they are no facts. */
export interface MerkleProof {
  /** Place of the leaf, from 0. */
  readonly index: number;
  /** Leaves of the tree: a power of two, at most {@link maxMerkleLeaves}. */
  readonly size: number;
  /** The sibling at every level, from the leaf up; 32 bytes each. */
  readonly path: readonly Uint8Array[];
}

/** A whole tree, as its maker holds it. */
export interface MerkleTree {
  readonly root: Uint8Array;
  /** @throws TypeError where there is no such leaf. */
  readonly proof: (index: number) => MerkleProof;
}

/** Enough for every caller who waits while one report is made; bounds what a path can cost. */
export const maxMerkleLeaves = 4096;

const hashLength = 32;
const nodePrefix: Uint8Array = Uint8Array.of(1);
const webCrypto: HashBytes = (bytes) => digest("SHA-256", bytes);

/**
 * The tree over `leaves`: hashes of 32 bytes, their number a power of two up to 4096. Pad and shuffle them before.
 *
 * @param sha256 WebCrypto's if left out; a synchronous one is several times faster for a full tree.
 * @throws TypeError for any other leaves.
 */
export async function merkleTree(leaves: readonly Uint8Array[], sha256: HashBytes = webCrypto): Promise<MerkleTree> {
  if (!isTreeSize(leaves.length)) {
    throw new TypeError(`expected a power of two up to ${maxMerkleLeaves} leaves, got ${leaves.length}`);
  }
  if (leaves.some((leaf) => leaf.length !== hashLength)) throw new TypeError(`expected leaves of ${hashLength} bytes`);
  const levels = [leaves.slice()];
  let level = leaves;
  while (level.length > 1) {
    level = await parentsOf(level, sha256);
    levels.push(level.slice());
  }
  return { root: level[0] ?? new Uint8Array(0), proof: (index) => proofIn(levels, leaves.length, index) };
}

/**
 * The root that `proof` leads to from the leaf hash `leaf`. It proves nothing until it is compared with a trusted root.
 *
 * @throws EncodingError where the leaf or a node is not 32 bytes, `size` no power of two up to 4096, `index` not below
 * `size`, or the path not exactly log2(size) long.
 */
export async function merkleRoot(
  leaf: Uint8Array,
  proof: MerkleProof,
  sha256: HashBytes = webCrypto,
): Promise<Uint8Array> {
  checkProof(leaf, proof);
  let node = leaf;
  for (const [height, sibling] of proof.path.entries()) {
    const isRight = ((proof.index >> height) & 1) === 1;
    node = isRight ? await parentOf(sibling, node, sha256) : await parentOf(node, sibling, sha256);
  }
  return node;
}

function isTreeSize(size: number): boolean {
  return Number.isInteger(size) && size >= 1 && size <= maxMerkleLeaves && (size & (size - 1)) === 0;
}

function isLeafOf(size: number, index: number): boolean {
  return Number.isInteger(index) && index >= 0 && index < size;
}

function parentsOf(level: readonly Uint8Array[], sha256: HashBytes): Promise<Uint8Array[]> {
  const lefts = level.filter((_, at) => at % 2 === 0);
  return Promise.all(lefts.map((left, at) => parentOf(left, level[2 * at + 1] ?? left, sha256)));
}

async function parentOf(left: Uint8Array, right: Uint8Array, sha256: HashBytes): Promise<Uint8Array> {
  const parent = await sha256(concatBytes(nodePrefix, left, right));
  if (parent.length === hashLength) return parent;
  throw new TypeError(`expected a hash of ${hashLength} bytes, got ${parent.length}`);
}

function proofIn(levels: readonly (readonly Uint8Array[])[], size: number, index: number): MerkleProof {
  if (!isLeafOf(size, index)) throw new TypeError(`expected a leaf below ${size}, got ${index}`);
  // The root, the only node of its level, has no sibling.
  const path = levels.flatMap((level, height) => level[(index >> height) ^ 1] ?? []);
  return { index, size, path };
}

function checkProof(leaf: Uint8Array, { index, size, path }: MerkleProof): void {
  checkHash(leaf, "leaf");
  if (!isTreeSize(size)) throw refused("proof.size", `a power of two up to ${maxMerkleLeaves}`, String(size));
  if (!isLeafOf(size, index)) throw refused("proof.index", `below ${size}`, String(index));
  const height = Math.log2(size);
  if (path.length !== height) throw refused("proof.path", `${height} nodes`, `${path.length} nodes`);
  path.forEach((node, at) => checkHash(node, `proof.path[${at}]`));
}

function checkHash(bytes: Uint8Array, field: string): void {
  if (bytes.length !== hashLength) throw refused(field, `${hashLength} bytes`, `${bytes.length} bytes`);
}

function refused(field: string, expected: string, actual: string): EncodingError {
  return new EncodingError("bad-encoding", field, expected, actual);
}
