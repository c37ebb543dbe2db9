import { describe, expect, test } from "vitest";
import type { Entry } from "./support/tar.ts";
import { directory, file, hardLink, symlink, whiteout } from "./support/tar.ts";
import { flatten } from "./support/flattened.ts";

const plain = (body: string): string => `file 644 0:0 @0 ${body}`;
const dir = "directory 755 0:0 @0";
const link = (target: string): string => `link 0:0 @0 -> ${target}`;

describe("what later layers do to earlier ones", () => {
  test("a file takes the place of a file, and its own owner, mode and time with it", async () => {
    const later = file("a", "two", { uid: 5, gid: 6, mode: 0o600, time: 9 });
    expect(await flatten([[file("a", "one")], [later]])).toEqual({ a: "file 600 5:6 @9 two" });
  });

  test("of two entries with one name in one layer the later counts", async () => {
    expect(await flatten([[file("a", "one"), file("a", "two")]])).toEqual({ a: plain("two") });
  });

  test("a directory again changes its mode and keeps what is in it", async () => {
    const layers = [[directory("d"), file("d/a", "x")], [directory("d", { mode: 0o700, uid: 7 })]];
    expect(await flatten(layers)).toEqual({ d: "directory 700 7:0 @0", "d/a": plain("x") });
  });

  test("a file takes the place of a directory with all that is in it, and the other way round", async () => {
    const layers = [
      [directory("d"), file("d/a", "x"), file("f", "x")],
      [file("d", "file"), directory("f"), file("f/b", "y")],
    ];
    expect(await flatten(layers)).toEqual({ d: plain("file"), f: dir, "f/b": plain("y") });
  });

  test("a directory takes the place of a symlink, and what was behind the symlink stays", async () => {
    const layers = [
      [directory("real"), file("real/a", "x"), symlink("s", "real")],
      [directory("s"), file("s/b", "y")],
    ];
    expect(await flatten(layers)).toEqual({ real: dir, "real/a": plain("x"), s: dir, "s/b": plain("y") });
  });

  test("directories that no entry describes are root's, mode 0755", async () => {
    expect(await flatten([[file("a/b/c", "x")]])).toEqual({ a: dir, "a/b": dir, "a/b/c": plain("x") });
  });
});

describe("whiteouts", () => {
  test("hide a file, and a directory with all that is in it", async () => {
    const layers = [
      [file("a", "x"), directory("d"), file("d/b", "y"), file("keep", "z")],
      [whiteout(".wh.a"), whiteout(".wh.d")],
    ];
    expect(await flatten(layers)).toEqual({ keep: plain("z") });
  });

  test.each([
    ["before", [whiteout("d/.wh.a"), file("d/a", "new")]],
    ["after", [file("d/a", "new"), whiteout("d/.wh.a")]],
  ])("do not hide what their own layer brings, %s them", async (_when, layer) => {
    expect(await flatten([[directory("d"), file("d/a", "old")], layer])).toEqual({ d: dir, "d/a": plain("new") });
  });

  test.each([
    ["before", [whiteout("d/.wh..wh..opq"), file("d/new", "n"), file("d/sub/new", "n")]],
    ["after", [file("d/new", "n"), file("d/sub/new", "n"), whiteout("d/.wh..wh..opq")]],
  ])("an opaque directory shows only what its own layer brings, %s the mark", async (_when, layer) => {
    const below = [
      directory("d", { uid: 3 }),
      file("d/old", "o"),
      directory("d/sub", { uid: 4 }),
      file("d/sub/old", "o"),
    ];
    expect(await flatten([below, layer])).toEqual({
      d: "directory 755 3:0 @0",
      "d/new": plain("n"),
      "d/sub": dir,
      "d/sub/new": plain("n"),
    });
  });

  test("the character device 0:0 is a whiteout too", async () => {
    const device: Entry = { name: "a", type: "character-device", devmajor: 0, devminor: 0 };
    expect(await flatten([[file("a", "x"), file("b", "y")], [device]])).toEqual({ b: plain("y") });
  });

  test("of what is not there change nothing", async () => {
    const layers = [[file("a", "x")], [whiteout(".wh.b"), whiteout("no/such/.wh.c"), whiteout("no/.wh..wh..opq")]];
    expect(await flatten(layers)).toEqual({ a: plain("x") });
  });

  test("through a symlink stay inside the image", async () => {
    const layers = [[directory("d"), file("d/a", "x"), symlink("s", "/../../d")], [whiteout("s/.wh.a")]];
    expect(await flatten(layers)).toEqual({ d: dir, s: link("/../../d") });
  });

  test("a name that was hidden can come back", async () => {
    expect(await flatten([[file("a", "1")], [whiteout(".wh.a")], [file("a", "3")]])).toEqual({ a: plain("3") });
  });
});

describe("hard links", () => {
  test("within a layer are one file with several names", async () => {
    const layers = [[file("b", "x"), hardLink("a", "b"), hardLink("d/c", "a")]];
    expect(await flatten(layers)).toEqual({ a: plain("x"), b: "= a", d: dir, "d/c": "= a" });
  });

  test("across layers link to the file below", async () => {
    expect(await flatten([[file("a", "x", { uid: 9 })], [hardLink("b", "a")]])).toEqual({
      a: "file 644 9:0 @0 x",
      b: "= a",
    });
  });

  test("keep the old content when the other name is replaced or hidden later", async () => {
    const layers = [
      [file("a", "x"), hardLink("b", "a"), hardLink("c", "a")],
      [file("a", "new"), whiteout(".wh.c")],
    ];
    expect(await flatten(layers)).toEqual({ a: plain("new"), b: plain("x") });
  });

  test("to a symlink are that symlink", async () => {
    expect(await flatten([[symlink("s", "t"), hardLink("h", "s")]])).toEqual({ h: link("t"), s: link("t") });
  });

  test("find their target through symlinked directories inside the image", async () => {
    const layers = [
      [directory("usr/lib"), file("usr/lib/a", "x"), symlink("lib", "usr/lib")],
      [hardLink("b", "lib/a")],
    ];
    expect(await flatten(layers)).toMatchObject({ b: plain("x"), "usr/lib/a": "= b" });
  });

  test.each([
    ["what is not there", [hardLink("a", "missing")]],
    ["what comes later", [hardLink("a", "b"), file("b", "x")]],
    ["a directory", [directory("d"), hardLink("a", "d")]],
    ["the root", [hardLink("a", "/")]],
    ["a file of the machine that builds", [hardLink("a", "/etc/hostname")]],
  ])("to %s are refused", async (_what, layer) => {
    await expect(flatten([layer])).rejects.toMatchObject({ code: "bad-link" });
  });
});

describe("entries below a symlink", () => {
  test.each(["usr/lib", "/usr/lib", "../../usr/lib", "./usr/../usr/lib"])(
    "%s: land where it leads inside the image",
    async (target) => {
      const layers = [[directory("usr"), directory("usr/lib"), symlink("lib", target)], [file("lib/a", "x")]];
      expect(await flatten(layers)).toEqual({ lib: link(target), usr: dir, "usr/lib": dir, "usr/lib/a": plain("x") });
    },
  );

  test("several symlinks after each other are followed", async () => {
    const layers = [[directory("d"), symlink("a", "b"), symlink("b", "/c"), symlink("c", "d")], [file("a/x", "x")]];
    expect(await flatten(layers)).toMatchObject({ "d/x": plain("x") });
  });

  test.each([
    ["leads to nothing", [symlink("s", "nowhere"), file("s/a", "x")]],
    ["leads above the root to a path of the machine that builds", [symlink("s", "/../../../tmp"), file("s/a", "x")]],
    ["leads to itself", [symlink("s", "s"), file("s/a", "x")]],
    ["leads in circles", [symlink("s", "t"), symlink("t", "s"), file("s/a", "x")]],
    ["leads to a file", [file("f", "x"), symlink("s", "f"), file("s/a", "x")]],
    ["leads through a file", [file("f", "x"), symlink("s", "f/.."), file("s/a", "x")]],
  ])("a symlink that %s is refused", async (_what, layer) => {
    await expect(flatten([layer])).rejects.toMatchObject({ code: "bad-parent" });
  });

  test("an entry below a file is refused", async () => {
    await expect(flatten([[file("f", "x")], [file("f/a", "y")]])).rejects.toMatchObject({ code: "bad-parent" });
  });
});

describe("what a box cannot hold", () => {
  const specials: readonly Entry[] = [
    { name: "x", type: "character-device", devmajor: 1, devminor: 3 },
    { name: "x", type: "block-device", devmajor: 8, devminor: 0 },
    { name: "x", type: "fifo" },
  ];

  test.each(specials)("$type is refused, with the name and the way out", async (special) => {
    const error = { code: "unsupported-entry", field: 'file "x"', hint: expect.stringContaining("RUN rm") };
    await expect(flatten([[special]])).rejects.toMatchObject(error);
  });

  test.each(specials)("$type is no matter when a later layer removes it", async (special) => {
    expect(await flatten([[special, file("a", "x")], [whiteout(".wh.x")]])).toEqual({ a: plain("x") });
  });

  test("users above 65535 are refused in what remains, and no matter in what was removed", async () => {
    const foreign = file("a", "x", { pax: { uid: "197609" } });
    await expect(flatten([[foreign]])).rejects.toMatchObject({ code: "owner-out-of-range", actual: "197609:0" });
    expect(await flatten([[foreign], [file("a", "x")]])).toEqual({ a: plain("x") });
  });

  test("a root that is no directory is refused", async () => {
    await expect(flatten([[symlink("./", "/tmp")]])).rejects.toMatchObject({ code: "bad-name" });
  });
});

describe("names", () => {
  test("of any length up to the limits, in any script, are kept as they are", async () => {
    const names = [
      "ünïcödé",
      "日本語/ファイル",
      "e\u0301",
      "\u00e9",
      "🙂",
      "line\nbreak",
      "back\\slash",
      "x".repeat(255),
    ];
    const flattened = await flatten([names.map((name) => file(name, "x"))]);
    for (const name of names) expect(flattened[name]).toBe(plain("x"));
    const deep = `${"deep/".repeat(100)}${"n".repeat(200)}`;
    expect((await flatten([[file(deep, "x")]]))[deep]).toBe(plain("x"));
  });

  test("a leading slash or dot is the root of the image", async () => {
    const layers = [[directory("./"), file("./a", "1"), file("/b", "2"), file(".//c", "3")]];
    expect(await flatten(layers)).toEqual({ a: plain("1"), b: plain("2"), c: plain("3") });
  });

  test("come in one order, whatever order the layers have", async () => {
    const names = ["b", "a/z", "a", "a-b", "B", "é", "a/b/c"].map((name) =>
      name === "a" ? directory("a") : file(name),
    );
    const one = Object.keys(await flatten([names]));
    const other = Object.keys(await flatten([[...names].reverse()]));
    expect(one).toEqual(other);
    expect(one).toEqual(["B", "a", "a/b", "a/b/c", "a/z", "a-b", "b", "é"]);
  });
});

describe("limits", () => {
  test("on the number of entries", async () => {
    const entries = Array.from({ length: 11 }, (_, index) => file(`f${index}`, ""));
    await expect(flatten([entries], { entries: 10 })).rejects.toMatchObject({ code: "limit-exceeded" });
    expect(Object.keys(await flatten([entries], { entries: 11 }))).toHaveLength(11);
  });

  test("on directories that only the paths of entries imply", async () => {
    const entries = [file("a/b/c/d", ""), file("e/f", "")];
    await expect(flatten([entries], { entries: 5 })).rejects.toMatchObject({ code: "limit-exceeded" });
    expect(Object.keys(await flatten([entries], { entries: 6 }))).toHaveLength(6);
  });

  test("on the bytes of all paths together, whatever the entry is", async () => {
    const kinds = [file("x".repeat(100), ""), directory("x".repeat(100)), symlink("a", "x".repeat(99))];
    for (const entry of [...kinds, hardLink("a", "x".repeat(99)), file(`.wh.${"x".repeat(100)}`, "")]) {
      const refused = { code: "limit-exceeded", expected: "paths of at most 99 bytes together" };
      await expect(flatten([[entry]], { pathBytes: 99 })).rejects.toMatchObject(refused);
    }
    expect(Object.keys(await flatten([kinds], { pathBytes: 1000 }))).toHaveLength(2);
  });

  test("on the length of a path that a symlink makes long", async () => {
    const [one, other] = ["a/".repeat(200), "b/".repeat(56)];
    const layers = [[directory(one), symlink("s", one), file(`s/${other}x`, "")]];
    const refused = { code: "limit-exceeded", expected: "a path of at most 253 names" };
    await expect(flatten(layers)).rejects.toMatchObject(refused);
    const names = `${"n".repeat(200)}/`.repeat(14);
    const long = [[directory(names), symlink("s", names), file(`s/${"n".repeat(250)}`, "")]];
    await expect(flatten(long)).rejects.toMatchObject({
      code: "limit-exceeded",
      expected: expect.stringContaining("3051 bytes"),
    });
  });

  test("on deep paths, before the rest of their layer is read", async () => {
    const below = (depth: number): readonly Entry[] => {
      const deep = Array.from({ length: 200 }, (_, index) => file(`${"a/".repeat(depth)}${index}`, ""));
      return [...deep, file("../last", "")];
    };
    const tooDeep = { code: "limit-exceeded", expected: "a path of at most 256 names" };
    await expect(flatten([below(1500)])).rejects.toMatchObject(tooDeep);
    await expect(flatten([below(250)], { pathBytes: 50_000 })).rejects.toMatchObject({ code: "limit-exceeded" });
    await expect(flatten([below(250)])).rejects.toMatchObject({ code: "path-traversal" });
  });

  test("on the number of layers", async () => {
    const layers = Array.from({ length: 129 }, (_, index) => [file(`f${index}`, "")]);
    await expect(flatten(layers)).rejects.toMatchObject({ code: "limit-exceeded" });
    expect(Object.keys(await flatten(layers.slice(1)))).toHaveLength(128);
  });

  test("on the bytes of all layers together", async () => {
    const layers = [[file("a", "x".repeat(5000))], [file("b", "x".repeat(5000))]];
    await expect(flatten(layers, { uncompressedBytes: 12_000 })).rejects.toMatchObject({ code: "limit-exceeded" });
    expect(Object.keys(await flatten(layers, { uncompressedBytes: 20_000 }))).toEqual(["a", "b"]);
  });
});
