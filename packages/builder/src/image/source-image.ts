import type { ImageConfig } from "./image-config.ts";
import type { StoredFile } from "./image-files.ts";

/** An image whose manifest and config are verified; its layers are verified while they are read. */
export interface SourceImage {
  /**
   * `sha256:<64 hex>` of the image manifest. Archives of old Docker versions have none: there it is the digest of the
   * config, which Docker calls the image id.
   */
  readonly digest: string;
  /** Digest of the config blob. */
  readonly configDigest: string;
  readonly config: ImageConfig;
  /** Lowest first. */
  readonly layers: readonly SourceLayer[];
  close(): Promise<void>;
}

/** One layer as stored. */
export interface SourceLayer {
  /** For errors: `layer 3 of 7`. */
  readonly name: string;
  readonly file: StoredFile;
  /** Digest of the stored bytes; null in archives that have none. */
  readonly blobDigest: string | null;
  /** Digest of the uncompressed bytes. */
  readonly diffId: string;
}
