/** What people make inside the checkout while they try it. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "blindbox-checkout-"));
  folders.push(folder);
  return folder;
}

function format(folder: string): { readonly status: number | null; readonly output: string } {
  const biome = join(root, "node_modules/.bin/biome");
  const { status, stdout, stderr } = spawnSync(biome, ["format", "."], { cwd: folder, encoding: "utf8" });
  return { status, output: `${stdout}${stderr}` };
}

test("a box that was built among the examples is none of the formatter's business, a source beside it is", () => {
  const folder = temporary();
  copyFileSync(join(root, "biome.json"), join(folder, "biome.json"));
  const box = join(folder, "examples/hello/hello.blindbox/image");
  mkdirSync(box, { recursive: true });
  writeFileSync(join(box, "index.json"), '{"a":   1}');
  writeFileSync(join(box, "../manifest.json"), '{"a":   1}');
  expect(format(folder)).toMatchObject({ status: 0 });
  writeFileSync(join(folder, "examples/hello/client.ts"), "const   a = 1\n");
  const { status, output } = format(folder);
  expect(status).toBe(1);
  expect(output).toContain("client.ts");
});

test("git passes over what the examples have one make: images, boxes, keys, recordings, a Manifest of one's own", () => {
  // In a repository of the test's own: the checkout may be another user's, whom git then refuses to serve.
  const folder = temporary();
  mkdirSync(join(folder, "examples"));
  for (const file of [".gitignore", "examples/.gitignore"]) copyFileSync(join(root, file), join(folder, file));
  spawnSync("git", ["init", "-q"], { cwd: folder });
  const made = ["hello.tar", "hello.blindbox/manifest.json", "key.txt", "speech.wav", "my.yml"];
  const paths = made.map((name) => `examples/hello/${name}`);
  const tracked = "examples/hello/blindbox.yml";
  const { stdout } = spawnSync("git", ["check-ignore", ...paths, tracked], { cwd: folder, encoding: "utf8" });
  expect(stdout.trim().split("\n")).toEqual(paths);
});
