/** Bytes that are not those that the image names: every blob, in every form, is compared with its digest. */
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BuildError } from "../src/build-error.ts";
import { flattenPath } from "./support/flattened.ts";
import {
  addBlob,
  addImage,
  type Compression,
  dockerFiles,
  type Files,
  json,
  layout,
  ociFiles,
  scratchDirectory,
  writeArchive,
  writeDirectory,
} from "./support/images.ts";
import { file, tar } from "./support/tar.ts";

const compressions: readonly Compression[] = ["none", "gzip", "zstd"];
const blobPath = (digest: unknown): string => `blobs/${String(digest).replace(":", "/")}`;

async function sample(compression: Compression): Promise<Files> {
  return ociFiles({ layers: [await tar([file("a", "content ".repeat(500))])], compression });
}

/** Names of the blobs, the layer's last. */
function blobs(files: Files): readonly string[] {
  return [...files.keys()]
    .filter((name) => name.startsWith("blobs/"))
    .sort((a, b) => (files.get(a)?.length ?? 0) - (files.get(b)?.length ?? 0));
}

const outcome = (files: Files): Promise<unknown> =>
  flattenPath(writeDirectory(files, scratchDirectory())).catch((error: unknown) => error);

/** The manifest with one change, and an index that names it: everything else as it was. */
function withManifest(files: Files, change: (manifest: Record<string, Record<string, unknown>[]>) => void): Files {
  const index = JSON.parse((files.get("index.json") ?? "").toString());
  const manifest = JSON.parse((files.get(blobPath(index.manifests[0].digest)) ?? "").toString());
  change(manifest);
  return layout(files, [addBlob(files, index.manifests[0].mediaType, json(manifest))]);
}

describe.each(compressions)("an image with %s layers", (compression) => {
  test("any flipped bit of any blob is found", async () => {
    const files = await sample(compression);
    const bit = fc.record({ blob: fc.constantFrom(...blobs(files)), at: fc.nat(), bit: fc.nat(7) });
    await fc.assert(
      fc.asyncProperty(bit, async ({ blob, at, bit }) => {
        const bytes = Buffer.from(files.get(blob) ?? "");
        const index = at % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
        const error = await outcome(new Map([...files, [blob, bytes]]));
        expect(error).toMatchObject({ name: "BuildError", code: "digest-mismatch" });
      }),
      { numRuns: 60 },
    );
  });

  test("a blob that is cut or has bytes after its end is found", async () => {
    const files = await sample(compression);
    for (const blob of blobs(files)) {
      const bytes = files.get(blob) ?? Buffer.alloc(0);
      for (const changed of [bytes.subarray(0, -1), bytes.subarray(0, 10), Buffer.concat([bytes, Buffer.alloc(1)])]) {
        expect(await outcome(new Map([...files, [blob, changed]]))).toMatchObject({ code: "size-mismatch" });
      }
    }
  });

  test("a blob that is not there is named", async () => {
    const files = await sample(compression);
    for (const blob of blobs(files)) {
      const without = new Map([...files].filter(([name]) => name !== blob));
      expect(await outcome(without)).toMatchObject({
        code: "blob-missing",
        field: expect.stringContaining(blob.slice(-64)),
      });
    }
  });

  test("a layer whose descriptor lies about its size is refused", async () => {
    for (const difference of [-1, 1, 1000]) {
      const files = withManifest(await sample(compression), (manifest) => {
        const [layer] = manifest["layers"] ?? [];
        if (layer !== undefined) layer["size"] = Number(layer["size"]) + difference;
      });
      expect(await outcome(files)).toMatchObject({ code: "size-mismatch" });
    }
  });

  test("a whole layer that is not the one of the config is refused", async () => {
    const other = await tar([file("a", "something else")]);
    const files = withManifest(await sample(compression), (manifest) => {
      manifest["layers"] = [addBlob(new Map(), "application/vnd.oci.image.layer.v1.tar", other)];
    });
    files.set(blobPath(addBlob(new Map(), "x", other)["digest"]), other);
    expect(await outcome(files)).toMatchObject({ code: "digest-mismatch", field: "layer 1 of 1 uncompressed" });
  });
});

describe("compressed layers that are not whole", () => {
  async function packed(pack: (layer: Buffer) => Buffer): Promise<unknown> {
    const layer = await tar([file("a", "content ".repeat(500))]);
    const files: Files = new Map();
    const image = addImage(files, { layers: [layer] });
    const manifest = JSON.parse((files.get(blobPath(image["digest"])) ?? "").toString());
    manifest.layers = [addBlob(files, "application/vnd.oci.image.layer.v1.tar+gzip", pack(layer))];
    return outcome(layout(files, [addBlob(files, String(image["mediaType"]), json(manifest))]));
  }

  test.each<readonly [string, (layer: Buffer) => Buffer]>([
    ["cut gzip", (layer) => gzipSync(layer).subarray(0, -20)],
    ["cut zstd", (layer) => zstdCompressSync(layer).subarray(0, -5)],
    ["a gzip head and nothing else", () => Buffer.from([0x1f, 0x8b])],
    ["a zstd head and nothing else", () => Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ])("%s", async (_what, pack) => {
    expect(await packed(pack)).toBeInstanceOf(BuildError);
  });

  test("bytes after the end of the gzip data are part of the blob, and no way past its digest", async () => {
    expect(
      await packed((layer) => Buffer.concat([gzipSync(layer), Buffer.from("garbage".repeat(50_000))])),
    ).toBeInstanceOf(BuildError);
  });

  test.each([
    ["bzip2", Buffer.from("BZh91AY&SY")],
    ["xz", Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0])],
  ])("%s is named and refused", async (name, bytes) => {
    expect(await packed(() => bytes)).toMatchObject({ code: "unsupported-entry", actual: name });
  });
});

describe("decompression bombs", () => {
  test.each<Compression>(["gzip", "zstd"])(
    "%s that unpacks to more than the limit is stopped there",
    async (compression) => {
      const bomb = await tar([file("zeros", Buffer.alloc(64 * 2 ** 20))]);
      const files = ociFiles({ layers: [bomb], compression });
      const path = writeDirectory(files, scratchDirectory());
      expect(blobs(files).reduce((sum, name) => sum + (files.get(name)?.length ?? 0), 0)).toBeLessThan(200_000);
      const limits = { uncompressedBytes: 2 ** 20 };
      await expect(flattenPath(path, limits)).rejects.toMatchObject({ code: "limit-exceeded", field: "image" });
    },
  );

  test("several layers count together", async () => {
    const layer = await tar([file("zeros", Buffer.alloc(2 ** 20))]);
    const other = await tar([file("more", Buffer.alloc(2 ** 20))]);
    const path = writeDirectory(ociFiles({ layers: [layer, other], compression: "gzip" }), scratchDirectory());
    await expect(flattenPath(path, { uncompressedBytes: 1.5 * 2 ** 20 })).rejects.toMatchObject({
      code: "limit-exceeded",
    });
  });
});

describe("docker archives, whose layers have no digest of their own", () => {
  test.each(compressions)("no flipped bit of a layer packed as %s changes what is read", async (compression) => {
    const files = dockerFiles({ layers: [await tar([file("a", "content ".repeat(500))])], compression });
    const read = async (changed: Files): Promise<unknown> =>
      flattenPath(await writeArchive(changed, join(scratchDirectory(), "image.tar"))).catch((error: unknown) => error);
    const whole = await read(files);
    const layer = files.get("0/layer.tar") ?? Buffer.alloc(0);
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(layer.length - 1), fc.nat(7), async (at, bit) => {
        const bytes = Buffer.from(layer);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        const outcome = await read(new Map([...files, ["0/layer.tar", bytes]]));
        // Compressed forms have bits that mean nothing: a time, a reserved flag.
        if (!(outcome instanceof BuildError)) expect(outcome).toEqual(whole);
        else refused += 1;
      }),
      { numRuns: 60 },
    );
    expect(refused).toBeGreaterThan(30);
  });
});

describe("archives that end too early", () => {
  test.each(["oci", "docker"])("an %s archive that is cut is refused at every block", async (form) => {
    const layers = [await tar([file("a", "content")])];
    const files = form === "oci" ? ociFiles({ layers }) : dockerFiles({ layers });
    const path = await writeArchive(files, join(scratchDirectory(), "image.tar"));
    const whole = readFileSync(path);
    const end = whole.length - 1024;
    for (let length = end - 1; length > 0; length -= 509) {
      writeFileSync(path, whole);
      truncateSync(path, length);
      expect(await flattenPath(path).catch((error: unknown) => error)).toBeInstanceOf(BuildError);
    }
  });
});
