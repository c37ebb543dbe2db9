import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BuildError, buildBox, unpackImage } from "../src/index.ts";
import { appEntries, buildInputs } from "./support/boxes.ts";
import { flattenPath } from "./support/flattened.ts";
import {
  addBlob,
  addImage,
  type Compression,
  type Files,
  type Json,
  json,
  ociFiles,
  scratchDirectory,
  sha256,
  writeDirectory,
} from "./support/images.ts";
import { directory, type Entry, file, hardLink, symlink, tar, whiteout } from "./support/tar.ts";

const isRoot = process.getuid?.() === 0;
const preserveOwners = isRoot;

async function layout(layers: readonly (readonly Entry[])[], compression: Compression = "none"): Promise<string> {
  const tars = await Promise.all(layers.map((entries) => tar(entries)));
  return writeDirectory(ociFiles({ layers: tars, compression }), scratchDirectory());
}

async function unpackEntries(...layers: readonly (readonly Entry[])[]): Promise<unknown> {
  const destination = join(scratchDirectory(), "new");
  const error = await unpackImage(await layout(layers), destination, { preserveOwners }).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error !== null) expect(existsSync(destination)).toBe(false);
  return error;
}

/** What is on disk, in the words and the order of `flattenPath`; no symlink is followed. */
function onDisk(root: string): Readonly<Record<string, string>> {
  const firstNames = new Map<number, string>();
  const walk = (folder: string): (readonly [string, string])[] =>
    readdirSync(join(root, folder))
      .sort()
      .flatMap((name) => {
        const path = join(folder, name);
        const text = describePath(join(root, path), path, firstNames);
        return [[path, text] as const, ...(text.startsWith("directory") ? walk(path) : [])];
      });
  return Object.fromEntries(walk(""));
}

function describePath(path: string, name: string, firstNames: Map<number, string>): string {
  const facts = lstatSync(path);
  const owner = `${facts.uid}:${facts.gid} @${facts.mtimeMs / 1000}`;
  if (facts.isSymbolicLink()) return `link ${owner} -> ${readlinkSync(path)}`;
  const mode = (facts.mode & 0o7777).toString(8);
  if (facts.isDirectory()) return `directory ${mode} ${owner}`;
  const first = firstNames.get(facts.ino);
  if (first !== undefined) return `= ${first}`;
  firstNames.set(facts.ino, name);
  return `file ${mode} ${owner} ${readFileSync(path, "utf8")}`;
}

describe("unpacking what was built", () => {
  test.skipIf(!isRoot)(
    "gives the flattened tree of the source, owners and times included (skipped without root)",
    async () => {
      const inputs = await buildInputs();
      const destination = join(scratchDirectory(), "box");
      const box = await buildBox(inputs);
      const unpacked = await unpackImage(join(box.directory, "image"), destination, { preserveOwners: true });
      expect(onDisk(join(destination, "blindbox", "app", "rootfs"))).toEqual(await flattenPath(inputs.source));
      expect(unpacked.diffIds).toHaveLength(2);
      expect(statSync(destination).mode & 0o777).toBe(0o700);
    },
  );

  test.skipIf(!isRoot)(
    "gives the flattened tree for random images too (skipped without root)",
    async () => {
      const name = fc.stringMatching(/^[a-cé]{1,3}$/u);
      const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
      const uid = fc.nat(65_535);
      const time = fc.nat(2 ** 31 - 1);
      const entry: fc.Arbitrary<Entry> = fc.oneof(
        fc.record({ name: path, body: fc.string({ maxLength: 50 }), uid, gid: uid, time, mode: fc.nat(0o7777) }),
        fc.record({ name: path, type: fc.constant("directory" as const), uid, time, mode: fc.nat(0o7777) }),
        fc.record({ name: path, type: fc.constant("symlink" as const), linkname: path, uid, time }),
        fc.record({ name: path, type: fc.constant("link" as const), linkname: path }),
        path.map((name) => whiteout(name.replace(/[^/]*$/, (last) => `.wh.${last}`))),
      );
      let built = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(entry, { maxLength: 6 }), { maxLength: 3 }), async (layers) => {
          const source = await layout(layers);
          const flattened = await flattenPath(source).catch((error: unknown) => error);
          // A parent that is a file, a link to nothing: other tests say what becomes of those.
          if (flattened instanceof BuildError) return;
          const text = (await buildInputs()).manifestText.replace('"port":80', '"port":80,"user":7,"command":["/a"]');
          const box = await buildBox({ ...(await buildInputs()), source, manifestText: text });
          const destination = join(scratchDirectory(), "box");
          await unpackImage(join(box.directory, "image"), destination, { preserveOwners: true });
          expect(onDisk(join(destination, "blindbox", "app", "rootfs"))).toEqual(flattened);
          built += 1;
        }),
        { numRuns: 80 },
      );
      expect(built).toBeGreaterThan(15);
    },
    60_000,
  );

  test("as an ordinary user gives files of one's own that one can read and remove", async () => {
    const { directory: box } = await buildBox(await buildInputs());
    const destination = join(scratchDirectory(), "box");
    await unpackImage(join(box, "image"), destination, { preserveOwners: false });
    const rootfs = join(destination, "blindbox", "app", "rootfs");
    const own = { uid: process.getuid?.(), gid: process.getgid?.() };
    expect(statSync(join(rootfs, "closed"))).toMatchObject(own);
    expect(statSync(join(rootfs, "closed")).mode & 0o777).toBe(0o700);
    expect(statSync(join(rootfs, "closed", "secret"))).toMatchObject(own);
    expect(statSync(join(rootfs, "closed", "secret")).mode & 0o777).toBe(0o400);
  });

  test.skipIf(!isRoot)("works as a user that is not root, and without owners only (skipped without root)", async () => {
    const { directory: box } = await buildBox(await buildInputs());
    const destination = scratchDirectory();
    spawnSync("chown", ["65534:65534", destination]);
    spawnSync("chmod", ["-R", "a+rX", box, join(box, "..", "..")]);
    const script = fileURLToPath(new URL("./support/unpack-in-child.ts", import.meta.url));
    const asUser = { uid: 65_534, gid: 65_534, encoding: "utf8" } as const;
    const run = (name: string, owners: boolean) =>
      spawnSync(
        process.execPath,
        ["--conditions=blindbox-source", script, join(box, "image"), join(destination, name), `${owners}`],
        asUser,
      );
    expect(run("own", false)).toMatchObject({ status: 0, stderr: "" });
    expect(statSync(join(destination, "own", "blindbox", "node")).uid).toBe(65_534);
    expect(run("theirs", true).status).not.toBe(0);
    expect(existsSync(join(destination, "theirs"))).toBe(false);
  });

  test("does not depend on the umask, for root nor for an ordinary user", async () => {
    const { directory: box } = await buildBox(await buildInputs());
    const destination = join(scratchDirectory(), "box");
    const before = process.umask(0o777);
    try {
      await unpackImage(join(box, "image"), destination, { preserveOwners: false });
    } finally {
      process.umask(before);
    }
    expect(statSync(join(destination, "blindbox", "node")).mode & 0o777).toBe(0o755);
    expect(statSync(join(destination, "blindbox")).mode & 0o777).toBe(0o755);
  });
});

describe("an image that build would not write is refused", () => {
  const escape = `blindbox-escape-${randomUUID()}`;
  const refused: readonly (readonly [string, readonly Entry[], string])[] = [
    ["a path that leads out", [file("../escape", "x")], "path-traversal"],
    ["an absolute path that leads out", [file("/../../escape", "x")], "path-traversal"],
    ["a parent that is a symlink", [symlink("s", "/tmp"), file(`s/${escape}`, "x")], "unsupported-entry"],
    [
      "a parent that is a symlink to a directory beside it",
      [directory("d"), symlink("s", "d"), file("s/a", "x")],
      "unsupported-entry",
    ],
    ["a parent that is a file", [file("f", "x"), file("f/a", "x")], "unsupported-entry"],
    ["a parent that comes later", [file("d/a", "x"), directory("d")], "unsupported-entry"],
    ["no parent", [file("d/a", "x")], "unsupported-entry"],
    ["one name twice", [file("a", "x"), file("a", "y")], "unsupported-entry"],
    ["a file in place of a symlink", [symlink("a", "/etc/passwd"), file("a", "y")], "unsupported-entry"],
    ["a symlink in place of a directory", [directory("d"), symlink("d", "/tmp")], "unsupported-entry"],
    ["a directory in place of a symlink", [symlink("d", "/tmp"), directory("d")], "unsupported-entry"],
    ["a hard link to a file of the machine", [hardLink("a", "/etc/hostname")], "unsupported-entry"],
    ["a hard link that leads out", [hardLink("a", "../../etc/hostname")], "path-traversal"],
    ["a hard link through a symlink", [symlink("s", "/etc"), hardLink("a", "s/hostname")], "unsupported-entry"],
    ["a hard link to a symlink", [symlink("s", "/etc/hostname"), hardLink("a", "s")], "unsupported-entry"],
    ["a hard link to a directory", [directory("d"), hardLink("a", "d")], "unsupported-entry"],
    ["a hard link to what comes later", [hardLink("a", "b"), file("b", "x")], "unsupported-entry"],
    ["a whiteout", [file("a", "x"), whiteout(".wh.a")], "unsupported-entry"],
    ["an opaque mark", [directory("d"), whiteout("d/.wh..wh..opq")], "unsupported-entry"],
    ["a device", [{ name: "null", type: "character-device", devmajor: 1, devminor: 3 }], "unsupported-entry"],
    [
      "a device that is a whiteout",
      [{ name: "a", type: "character-device", devmajor: 0, devminor: 0 }],
      "unsupported-entry",
    ],
    ["a FIFO", [{ name: "pipe", type: "fifo" }], "unsupported-entry"],
    ["an entry for the root", [directory("./")], "unsupported-entry"],
    ["a sparse file", [file("a", "x", { pax: { "GNU.sparse.major": "1" } })], "unsupported-entry"],
  ];

  test.each(refused)("%s", async (_what, entries, code) => {
    expect(await unpackEntries(entries)).toMatchObject({ name: "BuildError", code });
  });

  test("a second layer that changes a file of the first", async () => {
    expect(await unpackEntries([file("a", "x")], [file("a", "y")])).toMatchObject({ code: "unsupported-entry" });
  });

  test("nothing was written outside, whatever was tried", async () => {
    const folder = scratchDirectory();
    for (const [, entries] of refused) {
      await unpackImage(await layout([entries]), join(folder, "box"), { preserveOwners }).catch(() => {});
    }
    expect(readdirSync(folder)).toEqual([]);
    expect(existsSync(join("/tmp", escape))).toBe(false);
  });

  test.each<Compression>(["gzip", "zstd"])("layers packed as %s", async (compression) => {
    const image = await layout([[file("a", "x")]], compression);
    const work = unpackImage(image, join(scratchDirectory(), "box"), { preserveOwners });
    await expect(work).rejects.toMatchObject({ code: "not-a-box", field: "manifest layers[0].mediaType" });
  });

  test("set-uid bits are never written", async () => {
    const destination = join(scratchDirectory(), "box");
    await unpackImage(await layout([[file("su", "x", { mode: 0o6755 })]]), destination, { preserveOwners });
    expect(statSync(join(destination, "su")).mode & 0o7777).toBe(0o755);
  });
});

describe("a layout that build would not write is refused", () => {
  type Change = (document: Json) => Json;
  interface Changes {
    readonly config?: Change;
    readonly manifest?: Change;
    readonly at?: Change;
    readonly index?: Change;
  }
  const types = {
    index: "application/vnd.oci.image.index.v1+json",
    manifest: "application/vnd.oci.image.manifest.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: "application/vnd.oci.image.layer.v1.tar",
  };
  const same: Change = (document) => document;
  const put =
    (member: string, value: unknown): Change =>
    (document) => ({ ...document, [member]: value });

  async function changed({ config = same, manifest = same, at = same, index = same }: Changes): Promise<Files> {
    const files: Files = new Map();
    const blob = await tar([file("a", "good")]);
    const layers = [addBlob(files, types.layer, blob)];
    const rootfs = { type: "layers", diff_ids: [sha256(blob)] };
    const configAt = addBlob(files, types.config, json(config({ os: "linux", architecture: "amd64", rootfs })));
    const document = manifest({ schemaVersion: 2, mediaType: types.manifest, config: configAt, layers });
    const manifestAt = at(addBlob(files, types.manifest, json(document)));
    return files.set("index.json", json(index({ schemaVersion: 2, mediaType: types.index, manifests: [manifestAt] })));
  }

  async function outcome(files: Files): Promise<unknown> {
    const destination = join(scratchDirectory(), "box");
    const image = writeDirectory(files, scratchDirectory());
    const error = await unpackImage(image, destination, { preserveOwners }).catch((reason: unknown) => reason);
    if (error instanceof Error) expect(existsSync(destination)).toBe(false);
    return error;
  }

  const cases: readonly (readonly [string, Changes])[] = [
    ["a manifest that is named as an index", { at: put("mediaType", types.index) }],
    ["a manifest that says to be an index", { manifest: put("mediaType", types.index) }],
    ["a manifest that does not say what it is", { manifest: put("mediaType", undefined) }],
    ["a manifest with manifests", { manifest: put("manifests", []) }],
    ["a manifest of another version", { manifest: put("schemaVersion", 1) }],
    ["a manifest with a subject", { manifest: put("subject", null) }],
    ["a manifest of Docker", { at: put("mediaType", "application/vnd.docker.distribution.manifest.v2+json") }],
    ["a descriptor with content of its own", { at: put("data", "e30=") }],
    ["an index that says to be a manifest", { index: put("mediaType", types.manifest) }],
    ["an index with a config", { index: put("config", {}) }],
    ["an index of no image", { index: put("manifests", []) }],
    ["a config with another member", { config: put("history", []) }],
    [
      "a layer whose diff id is not its digest",
      { config: put("rootfs", { type: "layers", diff_ids: [sha256("other")] }) },
    ],
    ["fewer diff ids than layers", { config: put("rootfs", { type: "layers", diff_ids: [] }) }],
  ];

  test.each(cases)("%s", async (_what, changes) => {
    const code = changes.index !== undefined && _what.endsWith("no image") ? "malformed-image" : "not-a-box";
    expect(await outcome(await changed(changes))).toMatchObject({ name: "BuildError", code });
  });

  test("and without any change it is unpacked", async () => {
    expect(await outcome(await changed({}))).toEqual({
      configDigest: expect.stringMatching(/^sha256:/),
      diffIds: [sha256(await tar([file("a", "good")]))],
    });
  });

  test("two images of which one is for this platform", async () => {
    const arm = { platform: { os: "linux", architecture: "arm64" } };
    const index: Change = (document) => {
      const manifests = document["manifests"] as Json[];
      return { ...document, manifests: [...manifests, { ...manifests[0], ...arm }] };
    };
    expect(await outcome(await changed({ index }))).toMatchObject({ code: "not-a-box", actual: "2" });
  });

  test("an index within the index", async () => {
    const files = await changed({});
    const inner = addBlob(files, types.index, files.get("index.json") ?? Buffer.alloc(0));
    files.set("index.json", json({ schemaVersion: 2, mediaType: types.index, manifests: [inner] }));
    expect(await outcome(files)).toMatchObject({ code: "not-a-box" });
  });

  test("a manifest that is an index of another image too, which another reader would unpack", async () => {
    const files = await changed({});
    const evil = addImage(files, { layers: [await tar([file("a", "evil")])] });
    const polyglot = await changed({ manifest: put("manifests", [evil]), at: put("mediaType", types.index) });
    expect(await outcome(new Map([...files, ...polyglot]))).toMatchObject({ code: "not-a-box" });
  });
});

describe("an image whose bytes are not those of its digests", () => {
  test("any flipped bit in any file of the layout ends in a refusal, and leaves nothing", async () => {
    const entries = [directory("d"), file("d/a", "content"), symlink("s", "d/a"), hardLink("d/b", "d/a")];
    const files = ociFiles({ layers: [await tar(entries)] });
    const names = [...files.keys()].filter((name) => name.startsWith("blobs/"));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.nat(), fc.nat(7), async (name, at, bit) => {
        const bytes = Buffer.from(files.get(name) ?? "");
        bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ (1 << bit);
        const image = writeDirectory(new Map([...files, [name, bytes]]), scratchDirectory());
        const destination = join(scratchDirectory(), "box");
        const work = unpackImage(image, destination, { preserveOwners });
        await expect(work).rejects.toMatchObject({ code: "digest-mismatch" });
        expect(existsSync(destination)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  test("a box that was exchanged for another whole one unpacks under its own digests, which the caller compares", async () => {
    const image = await layout([[file("a", "other")]]);
    const unpacked = await unpackImage(image, join(scratchDirectory(), "box"), { preserveOwners });
    expect(unpacked.diffIds).toEqual([sha256(await tar([file("a", "other")]))]);
  });
});

describe("the destination", () => {
  test("that holds files is left alone", async () => {
    const destination = scratchDirectory();
    writeFileSync(join(destination, "mine"), "x");
    const work = unpackImage(await layout([[file("a", "x")]]), destination, { preserveOwners });
    await expect(work).rejects.toMatchObject({ code: "output-exists" });
    expect(readdirSync(destination)).toEqual(["mine"]);
  });

  test("may be an empty directory", async () => {
    const destination = scratchDirectory();
    mkdirSync(join(destination, "box"));
    await unpackImage(await layout([[file("a", "x")]]), join(destination, "box"), { preserveOwners });
    expect(readFileSync(join(destination, "box", "a"), "utf8")).toBe("x");
  });

  test("is gone when the caller gives up", async () => {
    const { directory: box } = await buildBox(await buildInputs({}, { entries: appEntries }));
    const destination = join(scratchDirectory(), "box");
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(unpackImage(join(box, "image"), destination, { preserveOwners, signal })).rejects.toThrow("enough");
    expect(existsSync(destination)).toBe(false);
  });

  test("holds no more than the limits allow", async () => {
    const image = await layout([[file("a", "x".repeat(5000)), file("b", "x")]]);
    const limited = (limits: object) => unpackImage(image, join(scratchDirectory(), "box"), { preserveOwners, limits });
    await expect(limited({ entries: 1 })).rejects.toMatchObject({ code: "limit-exceeded" });
    await expect(limited({ pathBytes: 1 })).rejects.toMatchObject({ code: "limit-exceeded" });
    await expect(limited({ uncompressedBytes: 4000 })).rejects.toMatchObject({ code: "limit-exceeded" });
  });
});
