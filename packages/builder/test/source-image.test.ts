import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { openImage } from "../src/image/open-image.ts";
import { imageLimits } from "../src/limits.ts";
import { flattenPath } from "./support/flattened.ts";
import {
  addBlob,
  addImage,
  addIndex,
  type Compression,
  dockerFiles,
  type Files,
  type ImageParts,
  type Json,
  json,
  layout,
  ociFiles,
  scratchDirectory,
  sha256,
  writeArchive,
  writeDirectory,
} from "./support/images.ts";
import { directory, file, hardLink, symlink, tar, whiteout } from "./support/tar.ts";

const hasSkopeo = spawnSync("skopeo", ["--version"]).status === 0;

async function sampleLayers(): Promise<readonly Buffer[]> {
  return Promise.all([
    tar([directory("etc"), file("etc/a", "one"), file("gone", "x")]),
    tar([file("etc/b", "two"), hardLink("c", "etc/a"), whiteout(".wh.gone")]),
  ]);
}

const sampleTree = {
  c: "file 644 0:0 @0 one",
  etc: "directory 755 0:0 @0",
  "etc/a": "= c",
  "etc/b": "file 644 0:0 @0 two",
};

const refusal = (source: string): Promise<unknown> =>
  openImage(source, imageLimits).then(
    (image) => image.close(),
    (error: unknown) => error,
  );

async function refusedFiles(files: Files): Promise<unknown> {
  return refusal(writeDirectory(files, scratchDirectory()));
}

async function imageDigest(source: string): Promise<string> {
  const image = await openImage(source, imageLimits);
  await image.close();
  return image.digest;
}

describe("forms of an image", () => {
  const compressions: readonly Compression[] = ["none", "gzip", "zstd"];

  test.each(compressions)("an OCI layout directory with layers packed as %s", async (compression) => {
    const files = ociFiles({ layers: await sampleLayers(), compression });
    expect(await flattenPath(writeDirectory(files, scratchDirectory()))).toEqual(sampleTree);
  });

  test.each(compressions)("an OCI archive with layers packed as %s", async (compression) => {
    const files = ociFiles({ layers: await sampleLayers(), compression });
    const path = await writeArchive(files, join(scratchDirectory(), "image.tar"));
    expect(await flattenPath(path)).toEqual(sampleTree);
  });

  test.each(compressions)("a docker archive with layers packed as %s", async (compression) => {
    const files = dockerFiles({ layers: await sampleLayers(), compression });
    const path = await writeArchive(files, join(scratchDirectory(), "image.tar"));
    expect(await flattenPath(path)).toEqual(sampleTree);
  });

  test("an archive whose names begin with ./", async () => {
    const files = ociFiles({ layers: await sampleLayers() });
    const dotted = new Map([...files].map(([name, bytes]) => [`./${name}`, bytes]));
    expect(await flattenPath(await writeArchive(dotted, join(scratchDirectory(), "image.tar")))).toEqual(sampleTree);
  });

  test("what docker save writes from version 25 on: index.json goes before manifest.json", async () => {
    const parts = { layers: await sampleLayers() };
    const files = ociFiles(parts);
    for (const [name, bytes] of dockerFiles(parts)) files.set(name, bytes);
    const path = await writeArchive(files, join(scratchDirectory(), "image.tar"));
    expect(await flattenPath(path)).toEqual(sampleTree);
    expect(await imageDigest(path)).toBe(await imageDigest(writeDirectory(ociFiles(parts), scratchDirectory())));
  });

  test("an old docker archive that links to a layer which two images share", async () => {
    const files = dockerFiles({ layers: await sampleLayers() });
    const bytes = files.get("1/layer.tar") ?? Buffer.alloc(0);
    files.delete("1/layer.tar");
    files.set("shared/layer.tar", bytes);
    const path = join(scratchDirectory(), "image.tar");
    await writeArchive(files, path, [symlink("1/layer.tar", "../shared/layer.tar")]);
    expect(await flattenPath(path)).toEqual(sampleTree);
  });

  test("gzip layers of several members, as estargz writes them", async () => {
    const layer = await tar([file("a", "x".repeat(3000))]);
    const members = Buffer.concat([gzipSync(layer.subarray(0, 1000)), gzipSync(layer.subarray(1000))]);
    const files: Files = new Map();
    const image = addImage(files, { layers: [layer], compression: "gzip" });
    const manifest = JSON.parse((files.get(`blobs/${String(image["digest"]).replace(":", "/")}`) ?? "").toString());
    manifest.layers = [addBlob(files, "application/vnd.oci.image.layer.v1.tar+gzip", members)];
    layout(files, [addBlob(files, String(image["mediaType"]), json(manifest))]);
    expect(Object.keys(await flattenPath(writeDirectory(files, scratchDirectory())))).toEqual(["a"]);
  });

  test("an image without a layer is an empty root", async () => {
    expect(await flattenPath(writeDirectory(ociFiles({ layers: [] }), scratchDirectory()))).toEqual({});
  });

  test.skipIf(!hasSkopeo)(
    "what skopeo makes of an image reads the same in every form (skipped without skopeo)",
    async () => {
      const folder = scratchDirectory();
      const run = { Cmd: ["/app"], User: "5:6", Env: ["A=1"] };
      writeDirectory(ociFiles({ layers: await sampleLayers(), run }), join(folder, "oci"));
      const forms = ["docker-archive:d.tar:app:1", "oci-archive:o.tar:app", "oci:copied:app", "dir:unused"];
      for (const form of forms.slice(0, 3)) {
        const copied = spawnSync("skopeo", ["copy", "oci:oci", form], { cwd: folder, encoding: "utf8" });
        expect(copied.stderr).toBe("");
      }
      for (const name of ["d.tar", "o.tar", "copied"]) {
        expect(await flattenPath(join(folder, name))).toEqual(sampleTree);
        const image = await openImage(join(folder, name), imageLimits);
        expect(image.config).toMatchObject({ user: "5:6", env: { A: "1" }, command: ["/app"] });
        await image.close();
      }
    },
  );
});

describe("what is no image", () => {
  test("a path that leads nowhere", async () => {
    expect(await refusal("./no/such/image.tar")).toMatchObject({ code: "image-not-found", field: "image" });
  });

  test.each([
    "docker.io/library/nginx:1",
    "nginx:latest",
    "ghcr.io/acme/app",
    `app@sha256:${"a".repeat(64)}`,
    "docker://nginx",
  ])("the registry reference %s is told what to do instead", async (reference) => {
    const hint = expect.stringMatching(/not supported yet: save it with `docker save/);
    expect(await refusal(reference)).toMatchObject({ code: "registry-not-supported", hint });
  });

  test("a directory with other things in it", async () => {
    const folder = scratchDirectory();
    writeFileSync(join(folder, "Dockerfile"), "FROM scratch");
    expect(await refusal(folder)).toMatchObject({ code: "not-an-image", actual: "a directory without index.json" });
  });

  test("an archive with other things in it", async () => {
    const path = await writeArchive(new Map([["a", Buffer.from("x")]]), join(scratchDirectory(), "image.tar"));
    expect(await refusal(path)).toMatchObject({ code: "not-an-image", actual: "an archive without index.json" });
  });

  test("a file that is no archive", async () => {
    const path = join(scratchDirectory(), "image.tar");
    writeFileSync(path, "text ".repeat(1000));
    expect(await refusal(path)).toMatchObject({ code: "malformed-image", field: "archive" });
  });

  test("an empty file", async () => {
    const path = join(scratchDirectory(), "image.tar");
    writeFileSync(path, "");
    expect(await refusal(path)).toMatchObject({ code: "not-an-image" });
  });

  test("an archive that is compressed as a whole", async () => {
    const path = join(scratchDirectory(), "image.tar");
    writeFileSync(path, gzipSync(await tar([file("index.json", "{}")])));
    expect(await refusal(path)).toMatchObject({ code: "compressed-archive", hint: "decompress it first" });
  });

  test("a device", async () => {
    expect(await refusal("/dev/null")).toMatchObject({ code: "not-an-image" });
  });

  test("an archive with two entries of one name, which readers take for different images", async () => {
    const files = ociFiles({ layers: await sampleLayers() });
    const path = join(scratchDirectory(), "image.tar");
    await writeArchive(files, path, [file("index.json", "{}")]);
    expect(await refusal(path)).toMatchObject({ code: "malformed-image", actual: "two" });
  });
});

describe("choice of the platform", () => {
  const arm = { os: "linux", architecture: "arm64" };
  const amd = { os: "linux", architecture: "amd64" };

  async function parts(more: Partial<ImageParts> = {}): Promise<ImageParts> {
    return { layers: await sampleLayers(), ...more };
  }

  test("takes linux/amd64 of several, without looking for the blobs of the others", async () => {
    const files: Files = new Map();
    const others: Files = new Map();
    const foreign = addImage(others, await parts({ platform: arm, config: arm }));
    const windows = addImage(others, await parts({ platform: { os: "windows", architecture: "amd64" } }));
    layout(files, [foreign, windows, addImage(files, await parts())]);
    expect(await flattenPath(writeDirectory(files, scratchDirectory()))).toEqual(sampleTree);
  });

  test("goes through nested indexes and passes over attestations, as docker writes them", async () => {
    const files: Files = new Map();
    const attestation: Json = {
      ...addImage(files, await parts({ platform: { os: "unknown", architecture: "unknown" } })),
      annotations: { "vnd.docker.reference.type": "attestation-manifest" },
    };
    layout(files, [addIndex(files, [addImage(files, await parts()), attestation])]);
    expect(await flattenPath(writeDirectory(files, scratchDirectory()))).toEqual(sampleTree);
  });

  test("reads the config where the index says nothing", async () => {
    const files: Files = new Map();
    const foreign = addImage(files, await parts({ platform: null, config: arm }));
    layout(files, [foreign, addImage(files, await parts({ platform: null }))]);
    expect(await flattenPath(writeDirectory(files, scratchDirectory()))).toEqual(sampleTree);
  });

  test("takes one image under two tags for one", async () => {
    const files: Files = new Map();
    const image = addImage(files, await parts());
    layout(files, [image, { ...image, annotations: { "org.opencontainers.image.ref.name": "latest" } }]);
    expect(await flattenPath(writeDirectory(files, scratchDirectory()))).toEqual(sampleTree);
  });

  test("refuses two different images", async () => {
    const files: Files = new Map();
    const other = { ...(await parts()), run: { Cmd: ["/other"] } };
    layout(files, [addImage(files, await parts()), addImage(files, other)]);
    expect(await refusedFiles(files)).toMatchObject({ code: "ambiguous-image", actual: "2" });
  });

  test("refuses an image for another processor, and names it", async () => {
    const files: Files = new Map();
    layout(files, [addImage(files, await parts({ platform: arm, config: arm }))]);
    expect(await refusedFiles(files)).toMatchObject({ code: "unsupported-platform", actual: "linux/arm64" });
  });

  test("refuses an image whose index says amd64 and whose config says otherwise", async () => {
    const files: Files = new Map();
    layout(files, [addImage(files, await parts({ platform: amd, config: arm }))]);
    expect(await refusedFiles(files)).toMatchObject({ code: "unsupported-platform", actual: "linux/arm64" });
  });

  test("refuses a build for newer processors only", async () => {
    const files: Files = new Map();
    layout(files, [addImage(files, await parts({ platform: { ...amd, variant: "v3" } }))]);
    expect(await refusedFiles(files)).toMatchObject({ code: "unsupported-platform", actual: "linux/amd64/v3" });
  });

  test("refuses a layout that holds no image but something else, a chart for instance", async () => {
    const files: Files = new Map();
    const config = addBlob(files, "application/vnd.cncf.helm.config.v1+json", json({}));
    const manifestType = "application/vnd.oci.image.manifest.v1+json";
    layout(files, [addBlob(files, manifestType, json({ schemaVersion: 2, config, layers: [] }))]);
    expect(await refusedFiles(files)).toMatchObject({ code: "unsupported-platform" });
  });

  test("refuses indexes nested too deep", async () => {
    const files: Files = new Map();
    let descriptor = addImage(files, await parts());
    for (let depth = 0; depth < 5; depth += 1) descriptor = addIndex(files, [descriptor]);
    layout(files, [descriptor]);
    expect(await refusedFiles(files)).toMatchObject({ code: "limit-exceeded" });
  });

  test("refuses a docker archive with two images", async () => {
    const files = dockerFiles(await parts());
    const [image] = JSON.parse((files.get("manifest.json") ?? "").toString());
    files.set("manifest.json", json([image, image]));
    const path = await writeArchive(files, join(scratchDirectory(), "image.tar"));
    expect(await refusal(path)).toMatchObject({ code: "ambiguous-image" });
  });
});

describe("documents that are not what the specification says", () => {
  async function withConfig(config: Json): Promise<unknown> {
    return refusedFiles(ociFiles({ layers: await sampleLayers(), config }));
  }

  test.each<readonly [string, Json, string]>([
    ["no operating system", { os: undefined }, "config os"],
    ["a number as architecture", { architecture: 64 }, "config architecture"],
    ["no rootfs", { rootfs: undefined }, "config rootfs"],
    ["diff ids of another hash", { rootfs: { diff_ids: ["sha512:00", "sha512:01"] } }, "config rootfs.diff_ids[0]"],
    ["too few diff ids", { rootfs: { diff_ids: [sha256("a")] } }, "config rootfs.diff_ids"],
    ["an environment variable without a name", { config: { Env: ["=x"] } }, "config.Env[0]"],
    ["an environment variable without a value", { config: { Env: ["A=1", "B"] } }, "config.Env[1]"],
    ["a text as entrypoint", { config: { Entrypoint: "/bin/sh -c x" } }, "config.Entrypoint"],
    ["a number as user", { config: { User: 1000 } }, "config.User"],
  ])("a config with %s", async (_what, config, field) => {
    expect(await withConfig(config)).toMatchObject({ code: "malformed-image", field });
  });

  test("a config whose members are null, as Docker writes them, is fine", async () => {
    const run = { Env: null, Cmd: null, Entrypoint: null, User: null, WorkingDir: null };
    const image = await openImage(writeDirectory(ociFiles({ layers: [], run }), scratchDirectory()), imageLimits);
    expect(image.config).toMatchObject({ env: {}, command: [], entrypoint: [], user: "", workingDir: "" });
    await image.close();
  });

  test("a name that JavaScript objects inherit is an environment variable like any other", async () => {
    const run = { Env: ["__proto__=1", "constructor=2"] };
    const image = await openImage(writeDirectory(ociFiles({ layers: [], run }), scratchDirectory()), imageLimits);
    expect(Object.entries(image.config.env)).toEqual([
      ["__proto__", "1"],
      ["constructor", "2"],
    ]);
    await image.close();
  });

  test.each([
    ["index.json", "not JSON"],
    ["index.json", "[]"],
    ["index.json", "7"],
    ["index.json", '{"manifests":{}}'],
    ["index.json", '{"manifests":[{"mediaType":"x"}]}'],
    ["index.json", '{"manifests":[{"mediaType":"x","digest":"sha256:../../../etc/passwd","size":1}]}'],
    ["index.json", `{"manifests":[{"mediaType":"x","digest":"sha256:${"a".repeat(64)}","size":-1}]}`],
  ])("%s with %s", async (name, text) => {
    const files = ociFiles({ layers: await sampleLayers() });
    files.set(name, Buffer.from(text));
    expect(await refusedFiles(files)).toMatchObject({ code: "malformed-image" });
  });

  test("an index larger than any that is written", async () => {
    const files = ociFiles({ layers: await sampleLayers() });
    files.set("index.json", Buffer.alloc(5 * 2 ** 20, " "));
    expect(await refusedFiles(files)).toMatchObject({ code: "limit-exceeded", field: "index.json" });
  });

  test("a layer of an encrypted media type", async () => {
    const files: Files = new Map();
    const image = addImage(files, { layers: await sampleLayers() });
    const name = `blobs/${String(image["digest"]).replace(":", "/")}`;
    const manifest = JSON.parse((files.get(name) ?? "").toString());
    manifest.layers[0].mediaType += "+encrypted";
    layout(files, [addBlob(files, String(image["mediaType"]), json(manifest))]);
    expect(await refusedFiles(files)).toMatchObject({
      code: "unsupported-entry",
      field: "image manifest layers[0].mediaType",
    });
  });

  test.each([
    ["a name that is no digest", { Config: "config.json" }, "malformed-image"],
    ["a config that is not there", { Config: `${"a".repeat(64)}.json` }, "blob-missing"],
    ["a layer that is not there", { Layers: ["0/layer.tar", "../../../etc/passwd"] }, "blob-missing"],
    ["too few layers", { Layers: ["0/layer.tar"] }, "malformed-image"],
    ["no list of layers", { Layers: "0/layer.tar" }, "malformed-image"],
  ])("a docker archive with %s", async (_what, change, code) => {
    const files = dockerFiles({ layers: await sampleLayers() });
    const [image] = JSON.parse((files.get("manifest.json") ?? "").toString());
    files.set("manifest.json", json([{ ...image, ...change }]));
    const path = await writeArchive(files, join(scratchDirectory(), "image.tar"));
    expect(await refusal(path)).toMatchObject({ code });
  });

  test("a docker archive whose config is not what its name says", async () => {
    const files = dockerFiles({ layers: await sampleLayers() });
    const name = [...files.keys()].find((each) => each.endsWith(".json")) ?? "";
    files.set(name, Buffer.concat([files.get(name) ?? Buffer.alloc(0), Buffer.from(" ")]));
    const path = await writeArchive(files, join(scratchDirectory(), "image.tar"));
    expect(await refusal(path)).toMatchObject({ code: "digest-mismatch" });
  });

  test("an archive whose links lead in circles", async () => {
    const files = dockerFiles({ layers: await sampleLayers() });
    files.delete("1/layer.tar");
    const path = join(scratchDirectory(), "image.tar");
    await writeArchive(files, path, [symlink("1/layer.tar", "../x"), symlink("x", "1/layer.tar")]);
    expect(await refusal(path)).toMatchObject({ code: "blob-missing" });
  });

  test("a layout whose index is a directory, or a link to nothing", async () => {
    const folder = scratchDirectory();
    mkdirSync(join(folder, "index.json"));
    expect(await refusal(folder)).toMatchObject({ code: "not-an-image" });
    const other = scratchDirectory();
    symlinkSync("nowhere", join(other, "index.json"));
    expect(await refusal(other)).toMatchObject({ code: "not-an-image" });
  });
});
