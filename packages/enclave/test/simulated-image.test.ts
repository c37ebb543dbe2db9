import { appendFile, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { measureImage } from "../src/simulated/index.ts";
import { type OciImage, type OciOptions, writeImage } from "./oci-image.ts";

async function refusalOf(image: OciImage): Promise<unknown> {
  return measureImage(image.folder).then(
    () => "measured",
    (error: unknown) => error,
  );
}

describe("the measurement of an image", () => {
  it("is SHA-384 over configuration digest and diff ids in order", async () => {
    const image = await writeImage();
    expect(Buffer.from(await measureImage(image.folder))).toEqual(Buffer.from(image.measurement));
  });

  it("depends on the order of layers", async () => {
    const layers = [Buffer.from("a"), Buffer.from("b")];
    const [one, other] = [await writeImage({ layers }), await writeImage({ layers: layers.toReversed() })];
    expect(Buffer.from(await measureImage(one.folder))).not.toEqual(Buffer.from(await measureImage(other.folder)));
  });
});

describe("an image is not measured", () => {
  it.each(["manifest", "config", 0, 1] as const)("where a bit of its %s is another", async (which) => {
    const image = await writeImage();
    const bytes = await readFile(image.blob(which));
    for (const at of [0, bytes.length >> 1, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await writeFile(image.blob(which), changed);
      expect(await refusalOf(image)).toMatchObject({ code: "image-invalid" });
    }
    await writeFile(image.blob(which), bytes);
    expect(Buffer.from(await measureImage(image.folder))).toEqual(Buffer.from(image.measurement));
  });

  it.each(["manifest", "config", 0, 1] as const)("where its %s is shorter, longer or not there", async (which) => {
    const image = await writeImage();
    const { length } = await readFile(image.blob(which));
    await appendFile(image.blob(which), "x");
    expect(await refusalOf(image)).toMatchObject({ code: "image-invalid" });
    await truncate(image.blob(which), length - 1);
    expect(await refusalOf(image)).toMatchObject({ code: "image-invalid" });
    await rm(image.blob(which));
    expect(await refusalOf(image)).toMatchObject({ code: "image-invalid" });
  });

  const types = {
    index: "application/vnd.oci.image.index.v1+json",
    manifest: "application/vnd.oci.image.manifest.v1+json",
  };
  type Change = (document: Record<string, unknown>) => unknown;
  const put =
    (member: string, value: unknown): Change =>
    (document) => ({ ...document, [member]: value });
  const namedAs =
    (mediaType: string): Change =>
    (index) => ({ ...index, manifests: (index["manifests"] as object[]).map((each) => ({ ...each, mediaType })) });
  const zero = `sha256:${"0".repeat(64)}`;
  const cases: readonly (readonly [string, OciOptions])[] = [
    [
      "its index names two images",
      {
        index: (index) => ({
          ...index,
          manifests: [...(index["manifests"] as unknown[]), ...(index["manifests"] as unknown[])],
        }),
      },
    ],
    ["its index names none", { index: (index) => ({ ...index, manifests: [] }) }],
    [
      "a diff id is another",
      { config: (config) => ({ ...config, rootfs: { type: "layers", diff_ids: [zero, zero] } }) },
    ],
    [
      "there are fewer diff ids than layers",
      { config: (config) => ({ ...config, rootfs: { type: "layers", diff_ids: [zero] } }) },
    ],
    ["it has no layers", { manifest: (manifest) => ({ ...manifest, layers: [] }) }],
    [
      "a digest would lead elsewhere",
      {
        manifest: (manifest) => ({
          ...manifest,
          config: { mediaType: "x", size: 1, digest: "sha256:../../../etc/passwd" },
        }),
      },
    ],
    [
      "a digest is of another kind",
      { manifest: (manifest) => ({ ...manifest, config: { mediaType: "x", size: 1, digest: "md5:0" } }) },
    ],
    [
      "a layer's kind is unknown",
      {
        manifest: (manifest) => ({
          ...manifest,
          layers: (manifest["layers"] as object[]).map((layer) => ({ ...layer, mediaType: "application/x" })),
        }),
      },
    ],
    ["its layers are packed, as a box never has them", { gzip: true }],
    ["its manifest is named as an index", { index: namedAs(types.index) }],
    [
      "its manifest is named as one of Docker",
      { index: namedAs("application/vnd.docker.distribution.manifest.v2+json") },
    ],
    ["its manifest says to be an index", { manifest: put("mediaType", types.index) }],
    ["its manifest says null", { manifest: put("mediaType", null) }],
    ["its manifest is of another version", { manifest: put("schemaVersion", 1) }],
    ["its manifest is an index too", { manifest: put("manifests", []) }],
    ["its manifest has another member", { manifest: put("subject", null) }],
    ["its index says to be a manifest", { index: put("mediaType", types.manifest) }],
    ["its index has another member", { index: put("layers", []) }],
    [
      "its config is of another type",
      { manifest: (manifest) => ({ ...manifest, config: { ...(manifest["config"] as object), mediaType: "x" } }) },
    ],
    ["its config has another member", { config: put("manifests", []) }],
    [
      "its root file system is of another type",
      { config: (config) => ({ ...config, rootfs: { ...(config["rootfs"] as object), type: "x" } }) },
    ],
    [
      "a descriptor has content of its own",
      { manifest: (manifest) => ({ ...manifest, config: { ...(manifest["config"] as object), data: "e30=" } }) },
    ],
    [
      "a layer says to be packed and is not",
      {
        manifest: (manifest) => ({
          ...manifest,
          layers: (manifest["layers"] as object[]).map((layer) => ({
            ...layer,
            mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
          })),
        }),
      },
    ],
  ];
  it.each(cases)("where %s", async (_, options) => {
    expect(await refusalOf(await writeImage(options))).toMatchObject({ code: "image-invalid" });
  });

  it("where its manifest is an index of another image too, and is named as one", async () => {
    const other = await writeImage();
    const { manifests } = JSON.parse(await readFile(join(other.folder, "index.json"), "utf8")) as {
      manifests: unknown;
    };
    const image = await writeImage({ manifest: put("manifests", manifests), index: namedAs(types.index) });
    expect(await refusalOf(image)).toMatchObject({ code: "image-invalid" });
  });

  it("with the types and members that the builder writes it is", async () => {
    const image = await writeImage({
      index: (index) => ({ ...index, mediaType: types.index }),
      manifest: (manifest) => ({ ...manifest, mediaType: types.manifest, annotations: { title: "x" } }),
      config: (config) => ({ created: "1970-01-01T00:00:00Z", config: {}, ...config }),
    });
    expect(Buffer.from(await measureImage(image.folder))).toEqual(Buffer.from(image.measurement));
  });

  it("where its index is cut at any length", async () => {
    const image = await writeImage();
    const text = await readFile(join(image.folder, "index.json"));
    for (let length = 0; length < text.length; length += 1) {
      await writeFile(join(image.folder, "index.json"), text.subarray(0, length));
      expect(await refusalOf(image)).toMatchObject({ code: "image-invalid" });
    }
  });
});
