import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseManifestSource } from "@blindbox/manifest/source";
import { describe, expect, test } from "vitest";
import { blindbox, emptyDirectory } from "./command.ts";

const flags = ["init", "--image", "./hello.tar", "--name", "hello", "--port", "80"];
const digest = `sha256:${"a".repeat(64)}`;

describe("blindbox init", () => {
  test("writes a commented Manifest in which only the key is missing", async () => {
    const cwd = emptyDirectory();
    writeFileSync(join(cwd, "hello.tar"), "");
    const { code, stdout, stderr } = await blindbox(flags, { cwd });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toMatch(/^wrote blindbox\.yml\nhint: `blindbox keys new`/);
    const check = await blindbox(["manifest", "check"], { cwd });
    expect(check.code).toBe(2);
    expect(check.stderr).toBe(
      'error: blindbox.yml has 1 problem\n  access.principals[0].apiKey: expected "sha256:" and 64 lower-case hex digits, got the placeholder\n' +
        "    hint: `blindbox keys new` makes a key and prints the line for here\n",
    );
  });

  test("with the digest of a key the Manifest is complete, and closed", async () => {
    const cwd = emptyDirectory();
    await blindbox([...flags, "--key-digest", digest, "--id", "clinic"], { cwd });
    const text = readFileSync(join(cwd, "blindbox.yml"), "utf8");
    const { manifest } = parseManifestSource(text, { format: "yaml" });
    expect(manifest.app).toEqual({ image: "./hello.tar", port: 80 });
    expect(manifest.access.principals).toEqual([{ id: "clinic", apiKey: digest, audit: false }]);
    expect(manifest.access.rules.map((rule) => rule.allow)).toEqual([["clinic"]]);
    expect(manifest.egress).toEqual([]);
    expect(manifest.logs).toBe("none");
    expect((await blindbox(["manifest", "check"], { cwd })).stdout).toBe("blindbox.yml: no problem found\n");
  });

  test("--new-key makes the key, keeps it in a file of its owner's alone, and the Manifest admits it", async () => {
    const cwd = emptyDirectory();
    const { code, stdout, stderr } = await blindbox([...flags, "--new-key", "key.txt"], { cwd });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    const key = readFileSync(join(cwd, "key.txt"), "utf8").trim();
    expect(statSync(join(cwd, "key.txt")).mode & 0o777).toBe(0o600);
    expect(stderr).not.toContain(key);
    const { manifest } = parseManifestSource(readFileSync(join(cwd, "blindbox.yml"), "utf8"), { format: "yaml" });
    const keyHash = createHash("sha256").update(key).digest("hex");
    expect(manifest.access.principals).toEqual([{ id: "me", apiKey: `sha256:${keyHash}`, audit: false }]);
  });

  test.each(["key.txt", "blindbox.yml"])("--new-key writes nothing at all where %s is there already", async (file) => {
    const cwd = emptyDirectory();
    writeFileSync(join(cwd, file), "mine");
    const { code, stderr } = await blindbox([...flags, "--new-key", "key.txt"], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain(`error: ${file}: expected a new file`);
    expect(readdirSync(cwd)).toEqual([file]);
    expect(readFileSync(join(cwd, file), "utf8")).toBe("mine");
  });

  test.each(["it's here.tar", "a: b #c.tar", 'quo"te.tar', "- x", "über.tar"])(
    "an image path of %j is kept as it is",
    async (image) => {
      const cwd = emptyDirectory();
      await blindbox(["init", "--image", image, "--name", "hello", "--port", "80", "--key-digest", digest], { cwd });
      const text = readFileSync(join(cwd, "blindbox.yml"), "utf8");
      expect(parseManifestSource(text, { format: "yaml" }).manifest.app.image).toBe(image);
    },
  );

  test("says so where the image that it names is not there", async () => {
    const cwd = emptyDirectory();
    const { code, stderr } = await blindbox([...flags, "--key-digest", digest], { cwd });
    expect(code).toBe(0);
    expect(stderr).toMatch(/^wrote blindbox\.yml\nnote: there is no \.\/hello\.tar yet: .+\nhint: next: .+\n$/);
  });

  test("--new-key leaves no key behind where the Manifest cannot be written", async () => {
    const cwd = emptyDirectory();
    const bad = ["--new-key", "key.txt", "--out", "missing/blindbox.yml"];
    const { code, stderr } = await blindbox([...flags, ...bad], { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: missing\/blindbox\.yml: expected a new file, got no such file .*\nhint: .+\n$/);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test("never overwrites a file", async () => {
    const cwd = emptyDirectory();
    writeFileSync(join(cwd, "blindbox.yml"), "mine");
    const { code, stderr } = await blindbox(flags, { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: blindbox\.yml: expected a new file, got a file that is there already\nhint: /);
    expect(readFileSync(join(cwd, "blindbox.yml"), "utf8")).toBe("mine");
  });

  test.each(["0", "65536", "80x", "-1", "8e1", ""])("refuses the port %j", async (port) => {
    const cwd = emptyDirectory();
    const { code, stderr } = await blindbox(["init", "--image", "x", "--name", "hello", `--port=${port}`], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain("expected a port from 1 to 65535");
  });

  test("tells every flag that makes no Manifest, and writes nothing", async () => {
    const cwd = emptyDirectory();
    const bad = ["init", "--image", "", "--name", "Hello", "--port", "80", "--key-digest", "sha256:zz"];
    const { code, stderr } = await blindbox(bad, { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: the Manifest that these options make has 3 problems\n/);
    for (const path of ["name", "app.image", "access.principals[0].apiKey"])
      expect(stderr).toContain(`  ${path}: expected `);
    expect(() => readFileSync(join(cwd, "blindbox.yml"))).toThrow("ENOENT");
  });
});
