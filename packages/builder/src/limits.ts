/** Bounds on what is read from an image. They hold for the source image and for the image of a box. */
export interface ImageLimits {
  /** Layers of one image. Docker itself stops at 127. */
  readonly layers: number;
  /**
   * Entries of all layers together, and directories that only a path implies; each costs memory while the tree is built.
   * The largest images in use have some 300,000.
   */
  readonly entries: number;
  /**
   * Bytes of all paths and link targets together: what they cost in memory, however well they were compressed. A path has
   * some 80 bytes, so this is ten times what the largest images have.
   */
  readonly pathBytes: number;
  /** Bytes of all layers together once decompressed; what a decompression bomb may fill of the disk. */
  readonly uncompressedBytes: number;
  /** Bytes of one JSON document (index, manifest, config). Registries stop at 4 MiB too. */
  readonly documentBytes: number;
}

/** 128 layers, a million entries, 256 MiB of paths, 32 GiB decompressed, 4 MiB a document. */
export const imageLimits: ImageLimits = {
  layers: 128,
  entries: 1_000_000,
  pathBytes: 256 * 2 ** 20,
  uncompressedBytes: 32 * 2 ** 30,
  documentBytes: 4 * 2 ** 20,
};

/** Bytes of a path below the root file system. Linux stops at 4096 for a whole path, and the run directory stands before it. */
export const maxPathBytes = 3072;

/** Names in a path. The deepest trees in use (nested node_modules) have some 40; each name costs a step per entry below it. */
export const maxPathDepth = 256;

/** What an application's path has more in its box, `blindbox/app/rootfs/` and a slash at its end: room is left for that. */
export const boxPrefix = { bytes: 21, depth: 3 } as const;

/** Bytes of one name between slashes, and of the target of a symlink: what Linux file systems take. */
export const maxNameBytes = 255;
export const maxTargetBytes = 4095;

/** Symlinks that are followed on the way to one entry; Linux stops at the same number. */
export const maxLinkHops = 40;

/** Users and groups that the sandbox maps: 0 to 65535. */
export const maxOwnerId = 65_535;
