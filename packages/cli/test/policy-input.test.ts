/** What `policy`, `exposure` and `--require` make of files: by what is in them, whatever they are called. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { writeBox } from "./box.ts";
import { emptyDirectory } from "./command.ts";
import { run } from "./kept-exchange.ts";

const written = "blindbox: 1\nname: hello\napp: { image: x.tar, port: 80 }\naccess: { rules: [] }\n";
const inJson = JSON.stringify({
  blindbox: 1,
  name: "hello",
  app: { image: "x.tar", port: 80 },
  access: { rules: [] },
});

function fileOf(name: string, text: string): string {
  const path = join(emptyDirectory(), name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

async function resolvedText(): Promise<string> {
  const box = emptyDirectory();
  await writeBox(box);
  return readFileSync(join(box, "manifest.json"), "utf8");
}

describe("a Manifest", () => {
  test.each([
    ["a resolved one", "other.json", resolvedText],
    ["a resolved one", "blindbox.yml", resolvedText],
    ["a written one", "manifest.json", () => written],
    ["a written one in JSON", "manifest.json", () => inJson],
    ["a written one", "old-manifest.json", () => written],
  ])("%s called %s is told by its text", async (_form, name, text) => {
    const path = fileOf(name, await text());
    expect(await run(["policy", "explain", path])).toMatchObject({ code: 0, stderr: "" });
    expect(await run(["exposure", path, "--target", "tdx"])).toMatchObject({ code: 0, stderr: "" });
    expect((await run(["policy", "diff", path, path])).stdout).toMatch(/^no difference/);
  });

  test("two resolved ones are compared whole, whatever they are called", async () => {
    const text = await resolvedText();
    const before = fileOf("before.json", text);
    const after = fileOf("after.json", text.replace('["/bin/hello"]', '["/bin/other"]'));
    const { code, stdout, stderr } = await run(["policy", "diff", before, after]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("app.command");
  });

  test.each([
    ['{"type":"blindbox-release/1"}', "a release"],
    ['{"type":"blindbox-manifest/2"}', "a document of another kind"],
  ])("%s is refused in one sentence that says what to name", async (text, actual) => {
    const path = fileOf("other.json", text);
    const { code, stdout, stderr } = await run(["policy", "explain", path]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe(
      `error: ${path}: expected a Manifest, got ${actual}\n` +
        "hint: name a blindbox.yml, a built box, or the manifest.json in it\n",
    );
  });

  test("in a box that a build did not finish is looked for as what a build writes", async () => {
    const path = fileOf("manifest.json", written);
    const { code, stderr } = await run(["policy", "explain", dirname(path)]);
    expect(code).toBe(2);
    expect(stderr).toContain("expected a resolved Manifest, got a Manifest as it is written\n");
  });

  test("with problems has all of them told, in either form", async () => {
    const wrong = fileOf("manifest.json", written.replace("80", "0"));
    expect((await run(["policy", "explain", wrong])).stderr).toMatch(/has 1 problem\n {2}app\.port: expected /);
    const text = (await resolvedText()).replace('"port":80', '"port":0');
    const resolved = fileOf("other.yml", text);
    expect((await run(["policy", "explain", resolved])).stderr).toMatch(/has 1 problem\n {2}app\.port: expected /);
  });
});

describe("a requirement", () => {
  test.each(["r.yml", "a: b/r.yml"])("called %j has its problems told whole", async (name) => {
    const path = fileOf(name, "logs: none\n");
    const { code, stderr } = await run(["policy", "check", "--require", path, fileOf("blindbox.yml", written)]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/: expected a complete requirement, got app: expected a value, found /);
    expect(stderr.split("\n")[0]).not.toContain("is not a complete requirement");
  });
});
