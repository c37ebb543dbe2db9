import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { manifestDigest } from "@blindbox/manifest";
import { describe, expect, test } from "vitest";
import { writeBox } from "./box.ts";
import { blindbox, emptyDirectory } from "./command.ts";

function directoryWith(text: string | Uint8Array, name = "blindbox.yml"): string {
  const directory = emptyDirectory();
  writeFileSync(join(directory, name), text);
  return directory;
}

describe("blindbox manifest check", () => {
  test("tells every problem with its path, what was expected, and what was found", async () => {
    const cwd = directoryWith(
      "blindbox: 1\nname: A\napp: { image: x.tar, port: '80' }\naccess: { rules: [{ allow: [nobody], methods: [FETCH], path: x }] }\nextra: 1\n",
    );
    const { code, stdout, stderr } = await blindbox(["manifest", "check"], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    for (const path of ["name", "app.port", "access.rules[0].methods[0]", "access.rules[0].path", "extra"]) {
      expect(stderr).toMatch(new RegExp(`^  ${path.replace(/[[\].]/g, "\\$&")}: expected .*, got .*$`, "m"));
    }
  });

  test("a file that is no YAML is told with line and column", async () => {
    const { code, stderr } = await blindbox(["manifest", "check"], { cwd: directoryWith("blindbox: [1\nname: x") });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^ {2}line \d+, column \d+: expected /m);
  });

  test("a missing file is told with the way to a first one", async () => {
    const { code, stderr } = await blindbox(["manifest", "check"], { cwd: emptyDirectory() });
    expect(code).toBe(2);
    expect(stderr).toBe(
      "error: blindbox.yml: expected a Manifest, got no such file or directory\nhint: `blindbox init` writes a first one\n",
    );
  });

  test.each([
    ["a directory", "directory"],
    ["bytes that are no UTF-8", new Uint8Array([0xff, 0xfe, 0x00])],
  ])("%s in its place is refused", async (actual, content) => {
    const cwd = content === "directory" ? emptyDirectory() : directoryWith(content);
    if (content === "directory") mkdirSync(join(cwd, "blindbox.yml"));
    const { code, stderr } = await blindbox(["manifest", "check"], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain(`got ${actual}\n`);
  });

  test("never repeats what stands where a key's digest belongs, even if somebody put the key there", async () => {
    const key = `bb_${"k".repeat(43)}`;
    const cwd = directoryWith(
      `blindbox: 1\nname: x\napp: { image: x.tar, port: 80 }\naccess: { principals: [{ id: a, apiKey: ${key} }], rules: [] }\n`,
    );
    const { code, stdout, stderr } = await blindbox(["manifest", "check"], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain("access.principals[0].apiKey");
    expect(stdout + stderr).not.toContain("kkkk");
  });

  test("control characters in a name cannot steer the terminal", async () => {
    const cwd = emptyDirectory();
    const { code, stderr } = await blindbox(["manifest", "check", "\u001b[31mred\u0007\nerror: forged"], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain("\\u{1b}[31mred\\u{7}\\u{a}error: forged: expected a Manifest");
    expect(stderr).not.toContain("\u001b");
  });
});

describe("blindbox manifest check, for what is more than one mistake", () => {
  test("tells of every key host that no rule of egress allows", async () => {
    const keys = `keys: { url: "https://idp.example.com/keys", thumbprints: [${"A".repeat(43)}] }`;
    const jwt = (audience: string) =>
      `jwt: { issuer: "https://idp.example.com", audience: ${audience}, ${keys}, algorithms: [ES256] }`;
    const principals = ["a", "b", "c"].map((id) => `{ id: ${id}, ${jwt(id)} }`).join(", ");
    const withEgress = (egress: string): string =>
      directoryWith(
        `blindbox: 1\nname: x\napp: { image: x.tar, port: 80 }\naccess: { principals: [${principals}], rules: [] }\negress: ${egress}\n`,
      );
    const { code, stdout, stderr } = await blindbox(["manifest", "check"], { cwd: withEgress("[]") });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: blindbox\.yml has 3 problems\n/);
    for (const index of [0, 1, 2]) expect(stderr).toContain(`  access.principals[${index}].jwt.keys.url: expected `);
    const cwd = withEgress("[{ host: idp.example.com, ports: [443], methods: [GET], paths: [/keys] }]");
    expect((await blindbox(["manifest", "check"], { cwd })).code).toBe(0);
  });

  test("tells a document that a build wrote in one sentence", async () => {
    const cwd = emptyDirectory();
    await writeBox(join(cwd, "hello.blindbox"));
    const { code, stderr } = await blindbox(["manifest", "check", "hello.blindbox/manifest.json"], { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^error: .+manifest\.json: expected a Manifest as it is written, got a resolved Manifest\nhint: .+\n$/,
    );
  });

  test("an image's name with a zero byte is no fault of ours", async () => {
    const cwd = directoryWith(
      'blindbox: 1\nname: x\napp: { image: "a\\0b", port: 80 }\naccess: { principals: [], rules: [] }\n',
    );
    const { code, stderr } = await blindbox(["build"], { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: /);
    expect(stderr).not.toContain("    at ");
  });
});

describe("blindbox manifest digest", () => {
  test.each([
    ["blindbox.yml", "blindbox: 1\nname: x\n", "a Manifest as it is written", "`blindbox build` resolves it"],
    ["other.json", '{"type":"blindbox-release/1"}', "a release", "name the manifest.json"],
    ["other.json", '{"type":"bb_secret"}', "a document of another kind", "name the manifest.json"],
    ["other.json", "[]", "something else", "name the manifest.json"],
  ])("of %s with %j is refused in one sentence that says what to name", async (name, text, actual, hint) => {
    const { code, stderr } = await blindbox(["manifest", "digest", name], { cwd: directoryWith(text, name) });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: .+\nhint: .+\n$/);
    expect(stderr).toContain(`expected a resolved Manifest, got ${actual}\nhint: ${hint}`);
  });

  test("gives the same digest for a box and for the manifest.json in it", async () => {
    const cwd = emptyDirectory();
    const { manifestText } = await writeBox(join(cwd, "hello.blindbox"));
    const ofBox = await blindbox(["manifest", "digest", "hello.blindbox"], { cwd });
    const ofFile = await blindbox(["manifest", "digest", "hello.blindbox/manifest.json"], { cwd });
    expect(ofBox).toEqual({ code: 0, stdout: `${await manifestDigest(manifestText)}\n`, stderr: "" });
    expect(ofFile).toEqual(ofBox);
  });

  test("refuses text that is not canonical, whose digest would mean nothing", async () => {
    const cwd = emptyDirectory();
    const { manifestText } = await writeBox(join(cwd, "hello.blindbox"));
    writeFileSync(join(cwd, "pretty.json"), JSON.stringify(JSON.parse(manifestText), null, 2));
    const { code, stdout, stderr } = await blindbox(["manifest", "digest", "pretty.json"], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: pretty\.json has 1 problem\n {2}document: expected /);
  });

  test("says what is missing in a directory that is no box", async () => {
    const { code, stderr } = await blindbox(["manifest", "digest", "."], { cwd: emptyDirectory() });
    expect(code).toBe(2);
    expect(stderr).toBe(
      "error: manifest.json: expected a resolved Manifest, got no such file or directory\nhint: name the manifest.json that `blindbox build` wrote\n",
    );
  });
});
