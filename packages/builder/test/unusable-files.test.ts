/** Builds whose files cannot be read or written: one error that names the file, and nothing left behind. */
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { type BuildOptions, buildBox } from "../src/index.ts";
import { appEntries, buildInputs, manifestText } from "./support/boxes.ts";
import { ociFiles, scratchDirectory, writeArchive } from "./support/images.ts";
import { asOrdinaryUser } from "./support/ordinary-user.ts";
import { canMount, smallDisk } from "./support/small-disk.ts";
import { file, tar } from "./support/tar.ts";

const refusal = (inputs: BuildOptions): Promise<unknown> =>
  buildBox(inputs).then(
    () => "built",
    (error: unknown) => error,
  );

async function archiveInputs(): Promise<BuildOptions> {
  const source = join(scratchDirectory(), "app.tar");
  await writeArchive(ociFiles({ layers: [await tar(appEntries)], run: { Cmd: ["/app"] } }), source);
  return buildInputs({ source });
}

describe("an output directory that cannot be used", () => {
  const problem = { name: "BuildError", code: "output-unusable", hint: expect.stringMatching(/\S/) };

  test.each([
    ["with an empty name", "", "an empty path"],
    ["in a file system that takes no files", "/proc", "no such file or directory"],
    ["that would have to be made there", "/proc/x/y", "no such file or directory"],
  ])("%s is refused", async (_what, outDir, actual) => {
    expect(await refusal(await buildInputs({ outDir }))).toMatchObject({ ...problem, actual });
  });

  test("that is a file, or below one, is refused by its name", async () => {
    const inputs = await buildInputs();
    writeFileSync(inputs.outDir, "mine");
    for (const outDir of [inputs.outDir, join(inputs.outDir, "deep", "er")]) {
      expect(await refusal({ ...inputs, outDir })).toMatchObject({ ...problem, field: outDir });
    }
  });

  test("in which one may not write is refused by its name", async () => {
    const inputs = await buildInputs();
    mkdirSync(inputs.outDir);
    chmodSync(inputs.outDir, 0o555);
    chmodSync(dirname(inputs.outDir), 0o755);
    await asOrdinaryUser(async () => {
      const refused = { ...problem, field: inputs.outDir, actual: "no permission" };
      expect(await refusal(inputs)).toMatchObject(refused);
    });
    expect(readdirSync(inputs.outDir)).toEqual([]);
  });

  test.skipIf(!canMount)("on a full disk is refused, and nothing is left on it (needs mounts)", async () => {
    const entries = [...appEntries, file("large", Buffer.alloc(3 * 2 ** 20, "x"))];
    // The first is full while the image is read, the second while the box is written.
    for (const size of ["size=2m", "size=5m"]) {
      const outDir = smallDisk(size);
      const refused = { ...problem, field: outDir, actual: "a full disk", hint: "make room there" };
      expect(await refusal(await buildInputs({ outDir }, { entries }))).toMatchObject(refused);
      expect(readdirSync(outDir)).toEqual([]);
    }
  });

  test.skipIf(!canMount)("that takes no more names is refused, and nothing is left on it (needs mounts)", async () => {
    for (const inodes of [2, 3, 4, 5]) {
      const outDir = smallDisk(`nr_inodes=${inodes}`);
      expect(await refusal(await buildInputs({ outDir }))).toMatchObject({ ...problem, actual: "a full disk" });
      expect(readdirSync(outDir)).toEqual([]);
    }
  });

  test.skipIf(!canMount)("on a read-only file system is refused (needs mounts)", async () => {
    const outDir = smallDisk("ro");
    expect(await refusal(await buildInputs({ outDir }))).toMatchObject({
      ...problem,
      actual: "a read-only file system",
    });
  });
});

describe("an image that cannot be read", () => {
  test("is named, whether it is an archive or a file of a layout", async () => {
    const archive = await archiveInputs();
    const layout = await buildInputs();
    const [blob] = readdirSync(join(layout.source, "blobs", "sha256"));
    const cases = [
      [archive, archive.source, archive.source],
      [layout, join(layout.source, "index.json"), `${layout.source}: index.json`],
      [layout, join(layout.source, "blobs", "sha256", blob ?? ""), `${layout.source}: blobs/sha256/${blob}`],
    ] as const;
    for (const [inputs, path, field] of cases) {
      for (const folder of [inputs.outDir, inputs.source, inputs.nodeBinary]) chmodSync(dirname(folder), 0o777);
      chmodSync(path, 0);
      await asOrdinaryUser(async () => {
        const refused = { code: "image-unreadable", field, actual: "no permission", hint: expect.stringMatching(/\S/) };
        expect(await refusal(inputs)).toMatchObject(refused);
        expect(readdirSync(inputs.outDir)).toEqual([]);
        rmSync(inputs.outDir, { recursive: true });
      });
      chmodSync(path, 0o644);
    }
  });

  test("in a folder that may not be entered is named", async () => {
    const inputs = await buildInputs();
    chmodSync(dirname(inputs.outDir), 0o777);
    chmodSync(inputs.source, 0);
    await asOrdinaryUser(async () => {
      expect(await refusal(inputs)).toMatchObject({ code: "image-unreadable", actual: "no permission" });
      rmSync(inputs.outDir, { recursive: true });
    });
    chmodSync(inputs.source, 0o755);
  });
});

describe("an error about an image", () => {
  test("begins with its path, and says what in it is wrong", async () => {
    const inputs = await archiveInputs();
    const field = inputs.source;
    expect(await refusal({ ...inputs, source: `${field}.not` })).toMatchObject({ field: `${field}.not` });
    truncateSync(field, 2000);
    expect(await refusal(inputs)).toMatchObject({ code: "malformed-image", field });
    const layout = await buildInputs();
    writeFileSync(join(layout.source, "index.json"), "no JSON");
    expect(await refusal(layout)).toMatchObject({ code: "malformed-image", field: `${layout.source}: index.json` });
  });

  test("about its user or its platform does, too", async () => {
    const nobody = await buildInputs({}, { run: { Cmd: ["/app"], User: "nobody-knows" } });
    expect(await refusal(nobody)).toMatchObject({ code: "unknown-user", field: expect.stringMatching(/image: /) });
    const arm = await buildInputs({}, { platform: null, config: { architecture: "arm64" } });
    expect(await refusal(arm)).toMatchObject({ code: "unsupported-platform", field: arm.source });
  });

  test("shows a path with control characters so that it cannot steer a terminal", async () => {
    const inputs = await buildInputs({ source: "./a\u001b[2J\u202e.tar" });
    const field = '"./a\\u001b[2J\\u{202e}.tar"';
    expect(await refusal(inputs)).toMatchObject({ code: "image-not-found", field });
  });
});

describe("a source without an end", () => {
  test.each(["/dev/zero", "/dev/stdin"])("%s is refused unread", async (source) => {
    expect(await refusal(await buildInputs({ source }))).toMatchObject({ code: "not-an-image", field: source });
  });

  test("an archive that is larger than any image is refused unread", async () => {
    const inputs = await archiveInputs();
    truncateSync(inputs.source, 2 ** 40);
    expect(await refusal(inputs)).toMatchObject({ code: "limit-exceeded", field: inputs.source });
    expect(readdirSync(inputs.outDir)).toEqual([]);
  });

  test("an archive with much behind its end can be given up", async () => {
    const inputs = await archiveInputs();
    truncateSync(inputs.source, 2 ** 34);
    const abort = new AbortController();
    const built = refusal({ ...inputs, signal: abort.signal });
    setImmediate(() => abort.abort(new Error("enough")));
    expect(await built).toMatchObject({ message: "enough" });
    expect(readdirSync(inputs.outDir)).toEqual([]);
  });
});

describe("a box in the place of an application's image", () => {
  test("is refused, as the directory that build wrote, as the layout in it, and as an archive of that", async () => {
    const { directory } = await buildBox(await buildInputs());
    const files = readdirSync(join(directory, "image"), { recursive: true, withFileTypes: true, encoding: "utf8" });
    expect(files.length).toBeGreaterThan(3);
    for (const source of [directory, join(directory, "image")]) {
      const inputs = await buildInputs({ source, manifestText: manifestText({ user: 1, command: ["/app"] }) });
      const refused = { code: "already-a-box", field: source, hint: expect.stringContaining("was built from") };
      expect(await refusal(inputs)).toMatchObject(refused);
      expect(existsSync(join(inputs.outDir, "hello.blindbox"))).toBe(false);
    }
    const run = { Entrypoint: ["/blindbox/node", "/blindbox/enclave/main.mjs"] };
    const source = join(scratchDirectory(), "box.tar");
    await writeArchive(ociFiles({ layers: [await tar(appEntries)], run }), source);
    expect(await refusal(await buildInputs({ source }))).toMatchObject({ code: "already-a-box", field: source });
  });
});
