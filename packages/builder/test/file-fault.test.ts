import { mkdirSync, openSync, readdirSync, statSync, symlinkSync, writeFileSync, writeSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { shownPath } from "../src/build-error.ts";
import { fileReason, imagePlace, onFiles, onFilesSync, outputPlace } from "../src/file-fault.ts";
import { makeDirectories } from "../src/make-directories.ts";
import { scratchDirectory } from "./support/images.ts";

describe("what the file system refuses", () => {
  test("is an error of the place, with the reason in words and a next step", async () => {
    const problem = { name: "BuildError", code: "image-unreadable", field: "x", actual: "no such file or directory" };
    await expect(onFiles(imagePlace("x"), () => readFile("/nowhere/x"))).rejects.toMatchObject(problem);
    const full = { code: "output-unusable", field: "out", actual: "a full disk", hint: "make room there" };
    await expect(onFiles(outputPlace("out"), () => writeFile("/dev/full", "x"))).rejects.toMatchObject(full);
    const write = (): number => writeSync(openSync("/dev/full", "w"), "x");
    expect(() => onFilesSync(outputPlace("out"), write)).toThrow(expect.objectContaining(full));
  });

  test("is told by its code where nobody knows a word for it", () => {
    const error = Object.assign(new Error("secret"), { code: "EXDEV", syscall: "rename" });
    expect(fileReason(error)).toBe("the error EXDEV of the file system");
  });

  test.each([new RangeError("x"), Object.assign(new Error("x"), { code: "ENOSPC" }), { code: "EIO", syscall: "read" }])(
    "is nothing else: other errors stay as they are (%#)",
    (error) => {
      const work = (): never => {
        throw error;
      };
      expect(() => onFilesSync(imagePlace("x"), work)).toThrow(error instanceof Error ? error : undefined);
      expect(fileReason(error)).toBeNull();
    },
  );
});

describe("a path of the caller in an error", () => {
  test.each([
    ["./image.tar", "./image.tar"],
    ["/größe/語.tar", "/größe/語.tar"],
    ["my image.tar", '"my image.tar"'],
    ["a\u001b[2Jb\n", '"a\\u001b[2Jb\\n"'],
    ["\u202egnp", '"\\u{202e}gnp"'],
    ["", '""'],
  ])("%j is shown as %j", (path, shown) => {
    expect(shownPath(path)).toBe(shown);
  });

  test("is never cut, since its end says most", () => {
    expect(shownPath("/x".repeat(1000))).toHaveLength(2000);
  });
});

describe("directories", () => {
  test("are made with those above them, and whether they were is told", async () => {
    const path = join(scratchDirectory(), "a", "b", "c");
    expect(await makeDirectories(path, 0o700)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(await makeDirectories(path)).toBe(false);
  });

  test("are made by several at once, of whom one makes each", async () => {
    for (let round = 0; round < 50; round += 1) {
      const path = join(scratchDirectory(), "a", "b", "c");
      const made = await Promise.all(Array.from({ length: 8 }, () => makeDirectories(path)));
      expect(made.filter(Boolean)).toHaveLength(1);
    }
  });

  test("are refused where a file system takes none, and the attempt ends", async () => {
    await expect(makeDirectories("/proc/blindbox/x")).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("are refused where a file or a link to nothing stands", async () => {
    const folder = scratchDirectory();
    writeFileSync(join(folder, "file"), "");
    symlinkSync("nowhere", join(folder, "link"));
    await expect(makeDirectories(join(folder, "file"))).rejects.toMatchObject({ code: "EEXIST" });
    await expect(makeDirectories(join(folder, "file", "x"))).rejects.toMatchObject({ code: "ENOTDIR" });
    await expect(makeDirectories(join(folder, "link", "x"))).rejects.toMatchObject({ code: "EEXIST" });
    expect(readdirSync(folder).sort()).toEqual(["file", "link"]);
  });

  test("through a link to a directory are made behind it", async () => {
    const folder = scratchDirectory();
    mkdirSync(join(folder, "real"));
    symlinkSync("real", join(folder, "link"));
    expect(await makeDirectories(join(folder, "link", "x"))).toBe(true);
    expect(readdirSync(join(folder, "real"))).toEqual(["x"]);
  });
});
