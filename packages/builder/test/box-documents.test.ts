/** Manifest and release beside the image of a box, which `run` compares with what the image holds. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildBox, unpackImage } from "../src/index.ts";
import { checkBoxDocuments, readBoxDocuments } from "../src/local/box-documents.ts";
import { appEntries, buildInputs, manifestText } from "./support/boxes.ts";
import { scratchDirectory } from "./support/images.ts";
import { file } from "./support/tar.ts";

interface Unpacked {
  readonly directory: string;
  readonly image: string;
}

async function builtBox(more: object = {}, image: object = {}): Promise<Unpacked> {
  const { directory } = await buildBox(await buildInputs(more, image));
  const destination = join(scratchDirectory(), "image");
  await unpackImage(join(directory, "image"), destination, { preserveOwners: false });
  return { directory, image: destination };
}

async function check({ directory, image }: Unpacked): Promise<unknown> {
  try {
    await checkBoxDocuments(await readBoxDocuments(directory), image);
    return "fine";
  } catch (error) {
    return error;
  }
}

const names = { manifest: "manifest.json", release: "blindbox.release.json" };

function edit({ directory }: Unpacked, name: string, change: (text: string) => string): void {
  writeFileSync(join(directory, name), change(readFileSync(join(directory, name), "utf8")));
}

test("what build wrote is fine", async () => {
  expect(await check(await builtBox())).toBe("fine");
});

test.each<readonly [string, string, (text: string) => string]>([
  ["an empty Manifest", names.manifest, () => ""],
  ["half a Manifest", names.manifest, (text) => text.slice(0, text.length / 2)],
  ["a Manifest with a line end behind it", names.manifest, (text) => `${text}\n`],
  ["a Manifest with another port", names.manifest, (text) => text.replace('"port":80', '"port":81')],
  ["a Manifest that is a release", names.manifest, () => '{"type":"blindbox-release/1"}'],
  ["an endless Manifest", names.manifest, () => " ".repeat(2 ** 23)],
  ["an empty release", names.release, () => ""],
  ["half a release", names.release, (text) => text.slice(0, text.length / 2)],
  ["a release that is a Manifest", names.release, () => "{}"],
  ["a release of another Manifest", names.release, (text) => text.replace(/("manifest":"sha256:)..../, "$10000")],
  ["a release of another application", names.release, (text) => text.replace(/("image":"sha256:)..../, "$10000")],
  ["a release of another runtime", names.release, (text) => text.replace(/("bundle":"sha256:)..../, "$10000")],
])("%s is refused by its name", async (_what, name, change) => {
  const box = await builtBox();
  edit(box, name, change);
  expect(await check(box)).toMatchObject({
    name: "BuildError",
    code: "documents-differ",
    field: name,
    hint: expect.stringMatching(/blindbox build/),
  });
});

test("the documents of another box are refused, both and each", async () => {
  const [box, other] = [await builtBox(), await builtBox({}, { entries: [...appEntries, file("more", "x")] })];
  for (const name of [names.manifest, names.release]) {
    const own = readFileSync(join(box.directory, name), "utf8");
    edit(box, name, () => readFileSync(join(other.directory, name), "utf8"));
    expect(await check(box)).toMatchObject({ code: "documents-differ", field: name });
    edit(box, name, () => own);
  }
  expect(await check({ ...box, directory: other.directory })).toMatchObject({ code: "documents-differ" });
  expect(await check(box)).toBe("fine");
  const changed = await builtBox({ manifestText: manifestText({ port: 81 }) });
  expect(await check({ ...box, directory: changed.directory })).toMatchObject({ code: "documents-differ" });
});

test("what is no file is refused, unread", async () => {
  const box = await builtBox();
  rmSync(join(box.directory, names.release));
  expect(await check(box)).toMatchObject({ code: "documents-differ", field: names.release, actual: "none" });
  mkdirSync(join(box.directory, names.release));
  expect(await check(box)).toMatchObject({ code: "documents-differ", actual: "something that is no file" });
});
