import { createHash } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { blindbox, emptyDirectory } from "./command.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

describe("blindbox keys new", () => {
  test("shows the key alone on stdout, once, and the line for the Manifest on stderr", async () => {
    const { code, stdout, stderr } = await blindbox(["keys", "new", "--id", "clinic"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^bb_[A-Za-z0-9_-]{43}\n$/);
    expect(stderr).toContain(`- { id: clinic, apiKey: "sha256:${sha256(stdout.trim())}" }`);
    expect(stderr).not.toContain(stdout.trim());
  });

  test("makes another key each time", async () => {
    const [first, second] = await Promise.all([blindbox(["keys", "new"]), blindbox(["keys", "new"])]);
    expect(first.stdout).not.toBe(second.stdout);
  });

  test("with --out writes the key into a file that only its owner reads, and never shows it", async () => {
    const cwd = emptyDirectory();
    const { code, stdout, stderr } = await blindbox(["keys", "new", "--out", "key.txt"], { cwd });
    const key = readFileSync(join(cwd, "key.txt"), "utf8").trim();
    expect(code).toBe(0);
    expect(statSync(join(cwd, "key.txt")).mode & 0o777).toBe(0o600);
    expect(stdout).toBe(`- { id: me, apiKey: "sha256:${sha256(key)}" }\n`);
    expect(stdout + stderr).not.toContain(key);
  });

  test("never overwrites a file", async () => {
    const cwd = emptyDirectory();
    writeFileSync(join(cwd, "key.txt"), "mine");
    const { code, stdout, stderr } = await blindbox(["keys", "new", "--out", "key.txt"], { cwd });
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toBe(
      "error: key.txt: expected a new file, got a file that is there already\nhint: nothing is overwritten: name another file\n",
    );
    expect(readFileSync(join(cwd, "key.txt"), "utf8")).toBe("mine");
  });

  test("says that a directory is missing", async () => {
    const { code, stderr } = await blindbox(["keys", "new", "--out", "missing/key.txt"], { cwd: emptyDirectory() });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: missing\/key.txt: expected a new file, got no such file or directory\nhint: /);
  });

  test.each([
    ["n".repeat(300), "a name that is too long"],
    ["/dev/full/key.txt", "a path through something that is no directory"],
    [".", "a file that is there already"],
  ])("tells in one line why %j cannot be written", async (file, actual) => {
    const { code, stdout, stderr } = await blindbox(["keys", "new", "--out", file], { cwd: emptyDirectory() });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: .+\nhint: .+\n$/);
    expect(stderr).toContain(`error: ${file}: expected a new file, got ${actual}\n`);
  });

  test.each(["Clinic", "anonymous", "a b", 'x", apiKey: "y', ""])(
    "refuses the id %j before it makes a key",
    async (id) => {
      const cwd = emptyDirectory();
      const { code, stdout, stderr } = await blindbox(["keys", "new", "--id", id, "--out", "key.txt"], { cwd });
      expect(code).toBe(2);
      expect(stdout).toBe("");
      expect(stderr).toMatch(/^error: --id: expected an id of 1 to 64 .*\nhint: /);
      expect(() => statSync(join(cwd, "key.txt"))).toThrow("ENOENT");
    },
  );
});
