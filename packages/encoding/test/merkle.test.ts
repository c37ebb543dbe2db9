import fc from "fast-check";
import { hash, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  concatBytes,
  digest,
  EncodingError,
  equalBytes,
  fromHex,
  maxMerkleLeaves,
  merkleRoot,
  merkleTree,
  toHex,
  type MerkleProof,
} from "../src/index.ts";
import { bitFlips } from "./refusal.ts";

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(hash("sha256", bytes, "buffer"));
const leafOf = (data: Uint8Array): Uint8Array => sha256(concatBytes(Uint8Array.of(0), data));
const leavesOf = (size: number): Uint8Array[] => Array.from({ length: size }, () => new Uint8Array(randomBytes(32)));

/** The tree as RFC 6962 section 2.1 defines it, from the root down. */
function referenceRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (leaves.length === 1 && only !== undefined) return only;
  const half = leaves.length / 2;
  return sha256(concatBytes(Uint8Array.of(1), referenceRoot(leaves.slice(0, half)), referenceRoot(leaves.slice(half))));
}

async function refusedRoot(leaf: Uint8Array, proof: MerkleProof): Promise<EncodingError> {
  const outcome: unknown = await merkleRoot(leaf, proof, sha256).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(EncodingError);
  return outcome as EncodingError;
}

describe("the tree", () => {
  /** The reference tree of Certificate Transparency: the same leaf and node rule, where the size is a power of two. */
  const inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
  test.each([
    [1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"],
    [2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    [4, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
    [8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"],
  ])("of %i leaves has Certificate Transparency's root", async (size, root) => {
    const leaves = inputs.slice(0, size).map((input) => leafOf(fromHex(input)));
    expect(toHex((await merkleTree(leaves, sha256)).root)).toBe(root);
  });

  test("agrees with the recursive definition, and every leaf's proof leads to its root", async () => {
    for (let size = 1; size <= 64; size *= 2) {
      const leaves = leavesOf(size);
      const tree = await merkleTree(leaves, sha256);
      expect(tree.root).toEqual(referenceRoot(leaves));
      for (const [index, leaf] of leaves.entries()) {
        const proof = tree.proof(index);
        expect(proof).toMatchObject({ index, size });
        expect(await merkleRoot(leaf, proof, sha256)).toEqual(tree.root);
      }
    }
  });

  test("of the most leaves has proofs of 12 nodes", async () => {
    const leaves = leavesOf(maxMerkleLeaves);
    const tree = await merkleTree(leaves, sha256);
    expect(tree.root).toEqual(referenceRoot(leaves));
    for (const index of [0, 1, 2047, 2048, 4095]) {
      const proof = tree.proof(index);
      expect(proof.path).toHaveLength(12);
      expect(await merkleRoot(leaves[index] ?? tree.root, proof, sha256)).toEqual(tree.root);
    }
  });

  test("is the same with WebCrypto, passed in or left out", async () => {
    const leaves = leavesOf(8);
    const { root, proof } = await merkleTree(leaves, sha256);
    expect((await merkleTree(leaves)).root).toEqual(root);
    expect((await merkleTree(leaves, (bytes) => digest("SHA-256", bytes))).root).toEqual(root);
    expect(await merkleRoot(leaves[5] ?? root, proof(5))).toEqual(root);
  });

  test("does not change when its maker's array does", async () => {
    const leaves = leavesOf(2);
    const tree = await merkleTree(leaves, sha256);
    const sibling = leaves[1];
    leaves[1] = new Uint8Array(32);
    expect(tree.proof(0).path).toEqual([sibling]);
  });

  test.each([0, 3, 5, 6, 7, 12, 4095, 4097, 8192])("is not made of %i leaves", async (size) => {
    await expect(merkleTree(leavesOf(size), sha256)).rejects.toThrow(TypeError);
  });

  test("is not made of leaves of another length", async () => {
    await expect(merkleTree([new Uint8Array(32), new Uint8Array(31)], sha256)).rejects.toThrow(TypeError);
    await expect(merkleTree([new Uint8Array(33)], sha256)).rejects.toThrow(TypeError);
  });

  test("is not made with another hash", async () => {
    const sha1 = (bytes: Uint8Array): Uint8Array => hash("sha1", bytes, "buffer");
    await expect(merkleTree(leavesOf(2), sha1)).rejects.toThrow(TypeError);
  });

  test.each([-1, 4, 0.5, Number.NaN])("has no proof for leaf %s of 4", async (index) => {
    const tree = await merkleTree(leavesOf(4), sha256);
    expect(() => tree.proof(index)).toThrow(TypeError);
  });
});

describe("a proof", () => {
  const leaves = leavesOf(8);
  const made = merkleTree(leaves, sha256);
  const leaf = leaves[3] ?? new Uint8Array(0);

  test("leads to another root from another leaf", async () => {
    const { root, proof } = await made;
    for (const other of leaves.filter((candidate) => candidate !== leaf)) {
      expect(equalBytes(await merkleRoot(other, proof(3), sha256), root)).toBe(false);
    }
  });

  test("leads to another root at any other index", async () => {
    const { root, proof } = await made;
    for (const index of [0, 1, 2, 4, 5, 6, 7]) {
      expect(equalBytes(await merkleRoot(leaf, { ...proof(3), index }, sha256), root)).toBe(false);
    }
  });

  test("leads to another root with any bit of its path flipped", async () => {
    const { root, proof } = await made;
    const { path } = proof(3);
    for (const [at, node] of path.entries()) {
      for (const flipped of bitFlips(node)) {
        const changed = path.map((kept, place) => (place === at ? flipped : kept));
        expect(equalBytes(await merkleRoot(leaf, { index: 3, size: 8, path: changed }, sha256), root)).toBe(false);
      }
    }
  });

  test("leads to another root with two nodes of its path exchanged", async () => {
    const { root, proof } = await made;
    const [first, second, third] = proof(3).path;
    const path = [second, first, third].filter((node) => node !== undefined);
    expect(equalBytes(await merkleRoot(leaf, { index: 3, size: 8, path }, sha256), root)).toBe(false);
  });

  test("is refused where the path is not exactly log2(size) long", async () => {
    const { proof } = await made;
    const { path } = proof(3);
    for (const wrong of [[], path.slice(1), path.slice(0, 2), [...path, leaf], [...path, ...path]]) {
      expect((await refusedRoot(leaf, { index: 3, size: 8, path: wrong })).field).toBe("proof.path");
    }
    expect((await refusedRoot(leaf, { index: 0, size: 1, path })).field).toBe("proof.path");
    expect((await refusedRoot(leaf, { index: 3, size: 4, path })).field).toBe("proof.path");
    expect((await refusedRoot(leaf, { index: 3, size: 16, path })).field).toBe("proof.path");
  });

  test.each([0, -1, -8, 3, 6, 7, 9, 8.5, 8192, 2 ** 32, 2 ** 32 + 8, Number.NaN, Number.POSITIVE_INFINITY])(
    "is refused where the size is %s",
    async (size) => {
      const { proof } = await made;
      expect((await refusedRoot(leaf, { ...proof(3), size })).field).toBe("proof.size");
    },
  );

  test.each([-1, 8, 11, 0.5, 2 ** 32 + 3, Number.NaN])("is refused where the index is %s of 8", async (index) => {
    const { proof } = await made;
    expect((await refusedRoot(leaf, { ...proof(3), index })).field).toBe("proof.index");
  });

  test("is refused where the leaf or a node is not 32 bytes", async () => {
    const { proof } = await made;
    for (const length of [0, 31, 33, 64]) {
      const wrong = new Uint8Array(length);
      expect((await refusedRoot(wrong, proof(3))).field).toBe("leaf");
      for (const at of [0, 1, 2]) {
        const path = proof(3).path.map((node, place) => (place === at ? wrong : node));
        expect((await refusedRoot(leaf, { ...proof(3), path })).field).toBe(`proof.path[${at}]`);
      }
    }
  });

  test("of a tree of one leaf is empty, and the leaf is the root", async () => {
    const { root, proof } = await merkleTree([leaf], sha256);
    expect([root, proof(0).path]).toEqual([leaf, []]);
    expect(await merkleRoot(leaf, proof(0), sha256)).toEqual(leaf);
  });

  test("cannot pass an inner node's contents off as a leaf: leaf and node hashes are apart", async () => {
    const [left = leaf, right = leaf] = leaves;
    const { root } = await merkleTree([left, right], sha256);
    const contents = concatBytes(left, right);
    expect(root).toEqual(sha256(concatBytes(Uint8Array.of(1), contents)));
    const forged = [leafOf(contents), leafOf(concatBytes(Uint8Array.of(1), contents)), sha256(contents)];
    for (const leaf of forged) {
      expect(await merkleRoot(leaf, { index: 0, size: 1, path: [] }, sha256)).not.toEqual(root);
    }
  });

  test("of random facts never leads to the root of others' leaves, and never throws but an EncodingError", async () => {
    const { root } = await made;
    const node = fc.uint8Array({ minLength: 30, maxLength: 33 });
    const facts = fc.record({
      index: fc.double(),
      size: fc.constantFrom(1, 2, 4, 8, 5),
      path: fc.array(node, { maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(node, facts, async (forged, proof) => {
        const outcome: unknown = await merkleRoot(forged, proof, sha256).catch((error: unknown) => error);
        expect(outcome instanceof EncodingError || (outcome instanceof Uint8Array && !equalBytes(outcome, root))).toBe(
          true,
        );
      }),
    );
  });
});
