/** The flattened tree of an image as a plain record, to compare with what it should be. */
import { join } from "node:path";
import { mkdirSync } from "node:fs";
import { outputPlace } from "../../src/file-fault.ts";
import { ByteBudget } from "../../src/image/layer-bytes.ts";
import { openImage } from "../../src/image/open-image.ts";
import { type ImageLimits, imageLimits } from "../../src/limits.ts";
import { flattenImage } from "../../src/rootfs/flatten.ts";
import { type ListedName, listTree } from "../../src/rootfs/list-tree.ts";
import { Scratch } from "../../src/scratch.ts";
import { ociFiles, scratchDirectory, writeDirectory } from "./images.ts";
import { type Entry, tar } from "./tar.ts";

/** `file 644 0:0 @0 content`, `dir 755 0:0 @0`, `link -> target`, `= first name` for a further name of a file. */
export type Flattened = Readonly<Record<string, string>>;

function describe({ node, linkTo }: ListedName): string {
  const { mode, uid, gid, mtime } = node.metadata;
  const facts = `${mode.toString(8)} ${uid}:${gid} @${mtime}`;
  if (linkTo !== null) return `= ${linkTo}`;
  if (node.kind === "symlink") return `link ${uid}:${gid} @${mtime} -> ${node.target}`;
  if (node.kind !== "file") return `${node.kind} ${facts}`;
  const { content } = node;
  return `file ${facts} ${Buffer.concat([...content.file.read(content.offset, content.size)]).toString()}`;
}

/** Flattens an image on disk. */
export async function flattenPath(source: string, limits: Partial<ImageLimits> = {}): Promise<Flattened> {
  const all = { ...imageLimits, ...limits };
  const directory = join(scratchDirectory(), "scratch");
  mkdirSync(directory);
  const scratch = new Scratch(directory, outputPlace("scratch"));
  const image = await openImage(source, all);
  try {
    const budget = new ByteBudget(all.uncompressedBytes);
    const root = await flattenImage(image, scratch, all, { budget, onStored: () => {}, signal: undefined });
    return Object.fromEntries(listTree(root).map((name) => [name.path, describe(name)]));
  } finally {
    scratch.close();
    await image.close();
  }
}

/** Flattens layers given as entries. */
export async function flatten(
  layers: readonly (readonly Entry[])[],
  limits?: Partial<ImageLimits>,
): Promise<Flattened> {
  const tars = await Promise.all(layers.map((entries) => tar(entries)));
  return flattenPath(writeDirectory(ociFiles({ layers: tars }), scratchDirectory()), limits);
}
