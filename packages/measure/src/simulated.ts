import { concatBytes, digest, parseSha256, toHex, utf8 } from "@blindbox/encoding";

/** The digests of an OCI image that the simulated device measures. */
export interface ImageDigests {
  /** Digest of the image's configuration: `sha256:<64 lower-case hex>`. */
  readonly configDigest: string;
  /** Digests of the uncompressed layers, in the order in which they are applied. */
  readonly diffIds: readonly string[];
}

/** The register of the simulated TEE as a tuple of a Release. */
export interface SimulatedReferenceValues {
  readonly tee: "simulated";
  readonly registers: {
    /** 48 bytes in lower-case hex. */
    readonly measurement: string;
  };
}

/**
 * What the simulated device measures an image as (DESIGN section 5): SHA-384 of `blindbox-sim/1`, the 32 bytes of the
 * configuration's digest, and the 32 bytes of each layer's digest in order. 48 bytes. The files themselves are not read:
 * whoever passes the digests has checked them. Throws EncodingError for what is no digest.
 */
export async function simulatedMeasurement({ configDigest, diffIds }: ImageDigests): Promise<Uint8Array> {
  const config = parseSha256(configDigest, "configDigest");
  const layers = diffIds.map((diffId, index) => parseSha256(diffId, `diffIds[${index}]`));
  return digest("SHA-384", concatBytes(utf8("blindbox-sim/1"), config, ...layers));
}

/** The Reference Values of an image on the simulated TEE: the complete tuple, which has one register. */
export async function simulatedReferenceValues(image: ImageDigests): Promise<SimulatedReferenceValues> {
  return { tee: "simulated", registers: { measurement: toHex(await simulatedMeasurement(image)) } };
}
