import { readFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BuildError } from "../src/build-error.ts";
import { type LayerEntry, parseEntry } from "../src/tar/layer-entry.ts";
import { readTar } from "../src/tar/read-tar.ts";
import { scratchDirectory } from "./support/images.ts";
import { directory, type Entry, file, hardLink, patched, symlink, tar } from "./support/tar.ts";

const name = { field: "layer", code: "malformed-layer" } as const;

async function* chunks(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function parse(bytes: Uint8Array): Promise<readonly LayerEntry[]> {
  const entries: LayerEntry[] = [];
  await readTar(chunks(bytes), name, (header) => void entries.push(parseEntry(header)));
  return entries;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(BuildError);
  return (error as BuildError).code;
}

const codeFor = async (entry: Entry): Promise<string> => codeOf(tar([entry]).then(parse));

describe("names that lead out of the image, or that no file can have, are refused", () => {
  const names: readonly (readonly [string, string])[] = [
    ["../escape", "path-traversal"],
    ["a/../../escape", "path-traversal"],
    ["a/..", "path-traversal"],
    ["/../etc/passwd", "path-traversal"],
    ["a/.wh..", "path-traversal"],
    ["a/.wh...", "path-traversal"],
    ["a/.wh.", "unsupported-entry"],
    ["a/.wh..wh.plnk", "unsupported-entry"],
    [".wh.a/b", "unsupported-entry"],
  ];
  test.each(names)("%s", async (entry, code) => {
    expect(await codeFor(file(entry))).toBe(code);
  });

  test("a name of more than 255 bytes, and a path of more than 3072", async () => {
    expect(await codeFor(file("a".repeat(256)))).toBe("limit-exceeded");
    expect(await codeFor(file(`${`${"long".repeat(30)}/`.repeat(26)}x`))).toBe("limit-exceeded");
    expect(
      await parse(await tar([file("a".repeat(255)), file(`${`${"long".repeat(30)}/`.repeat(25)}x`)])),
    ).toHaveLength(2);
  });

  test("a path of more than 256 names, and one that is long only as it is written", async () => {
    expect(await codeFor(file("a/".repeat(256) + "a"))).toBe("limit-exceeded");
    expect(await codeFor(file("./".repeat(1600) + "a"))).toBe("limit-exceeded");
    expect(await codeFor(hardLink("a", "a/".repeat(256) + "a"))).toBe("limit-exceeded");
    expect(await parse(await tar([file("a/".repeat(255) + "a")]))).toMatchObject([{ path: "a/".repeat(255) + "a" }]);
  });

  test("a hard link to a path above the root", async () => {
    expect(await codeFor(hardLink("a", "../../etc/shadow"))).toBe("path-traversal");
  });

  test("a PAX name with a zero byte", async () => {
    expect(await codeFor(file("a", "", { pax: { path: "a\0b" } }))).toBe("bad-name");
  });

  test("a name that is no UTF-8", async () => {
    const bytes = await tar([file("abc")]);
    expect(
      await codeOf(parse(Buffer.concat([patched(bytes.subarray(0, 512), [[1, "\xff\xfe"]]), bytes.subarray(512)]))),
    ).toBe("bad-name");
  });

  test("a whiteout that is a directory", async () => {
    expect(await codeFor(directory(".wh.a"))).toBe("unsupported-entry");
  });
});

describe("links", () => {
  test("a symlink may point anywhere: it is read inside the image only", async () => {
    const [entry] = await parse(await tar([symlink("a", "/../../etc/passwd")]));
    expect(entry).toMatchObject({ kind: "symlink", target: "/../../etc/passwd" });
  });

  test("a leading slash of a hard link's target is the root of the image", async () => {
    const [entry] = await parse(await tar([hardLink("a", "/etc/shadow")]));
    expect(entry).toMatchObject({ kind: "hard-link", target: "etc/shadow" });
  });

  test.each([
    ["without a target", ""],
    ["with a target longer than Linux takes", "x".repeat(4096)],
  ])("a symlink %s is refused", async (_what, target) => {
    const bytes = target === "" ? patchedType(await tar([file("a", "")]), "2") : await tar([symlink("a", target)]);
    expect(await codeOf(parse(bytes))).toBe("bad-link");
  });
});

function patchedType(bytes: Buffer, type: string): Buffer {
  return Buffer.concat([patched(bytes.subarray(0, 512), [[156, type]]), bytes.subarray(512)]);
}

describe("kinds of entries", () => {
  test.each(["S", "M", "V", "D", "Z"])("type %s is refused: sparse, multi-volume and unknown forms", async (type) => {
    expect(await codeOf(parse(patchedType(await tar([file("a", "")]), type)))).toBe("unsupported-entry");
  });

  test.each([
    { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "1099511627776" },
    { "GNU.sparse.map": "0,1", "GNU.sparse.size": "1099511627776" },
  ])("a PAX sparse file is refused: %o", async (pax) => {
    expect(await codeFor(file("bomb", "x", { pax }))).toBe("unsupported-entry");
  });

  test.each([["--format=gnu"], ["--format=pax"]])(
    "a sparse file as GNU tar packs it with %s is refused",
    async (format) => {
      const folder = scratchDirectory();
      const archive = join(folder, "a.tar");
      spawnSync("truncate", ["--size=1T", join(folder, "bomb")]);
      spawnSync("tar", ["--create", "--sparse", format, "--file", archive, "--directory", folder, "bomb"]);
      expect(readFileSync(archive).length).toBeLessThan(100_000);
      expect(await codeOf(parse(readFileSync(archive)))).toBe("unsupported-entry");
    },
  );

  test("the character device 0:0 is a whiteout, as overlay file systems write it; other devices are special", async () => {
    const entries = await parse(
      await tar([
        { name: "a", type: "character-device", devmajor: 0, devminor: 0 },
        { name: "b", type: "character-device", devmajor: 1, devminor: 3 },
        { name: "c", type: "block-device", devmajor: 8, devminor: 0 },
        { name: "d", type: "fifo" },
      ]),
    );
    expect(entries.map((entry) => entry.kind)).toEqual(["whiteout", "special", "special", "special"]);
  });
});

describe("metadata", () => {
  test("set-uid and set-gid bits are dropped, and the sticky bit of files", async () => {
    const entries = await parse(
      await tar([
        file("su", "", { mode: 0o6755 }),
        file("t", "", { mode: 0o1644 }),
        directory("tmp", { mode: 0o3777 }),
      ]),
    );
    expect(entries.map((entry) => ("metadata" in entry ? entry.metadata.mode : null))).toEqual([0o755, 0o644, 0o1777]);
  });

  test("owners above the octal field come from PAX records", async () => {
    const [entry] = await parse(await tar([file("a", "", { pax: { uid: "3000000", gid: "4000000" } })]));
    expect(entry).toMatchObject({ metadata: { uid: 3_000_000, gid: 4_000_000 } });
  });

  test.each(["", " ", " 1", "0x10", "1e3", "-1", "+1", "1.0", "1_0", "Infinity", "9".repeat(20)])(
    "a PAX record %j is no uid, no gid and no size",
    async (text) => {
      expect(await codeFor(file("a", "", { pax: { uid: text } }))).toBe("malformed-layer");
      expect(await codeFor(file("a", "", { pax: { gid: text } }))).toBe("malformed-layer");
      if (!/^9+$/.test(text)) expect(await codeFor(file("a", "", { pax: { size: text } }))).toBe("malformed-layer");
    },
  );

  test.each(["", " ", "0x10", "1e3", "1,5", ".5", "--1", "1.5.5"])("a PAX record %j is no mtime", async (text) => {
    expect(await codeFor(file("a", "", { pax: { mtime: text } }))).toBe("malformed-layer");
  });

  test.each(["0", "1700000000", "1700000000.123456789", "-1.5"])("a PAX record %j is an mtime", async (text) => {
    expect(await parse(await tar([file("a", "", { pax: { mtime: text } })]))).toHaveLength(1);
  });

  test.each([
    ["mode", 100],
    ["uid", 108],
    ["gid", 116],
  ])("a %s that is no number is refused", async (_member, offset) => {
    const bytes = await tar([file("a", "")]);
    const broken = Buffer.concat([patched(bytes.subarray(0, 512), [[offset, "zzzzzz"]]), bytes.subarray(512)]);
    expect(await codeOf(parse(broken))).toBe("malformed-layer");
  });

  test("times before 1970 and after 2038 are moved to those ends", async () => {
    const entries = await parse(await tar([file("new", "", { time: 2 ** 32 })]));
    const bytes = await tar([file("old", "")]);
    const old = await parse(
      Buffer.concat([patched(bytes.subarray(0, 512), [[136, "\xff".repeat(12)]]), bytes.subarray(512)]),
    );
    const times = [...entries, ...old].map((entry) => ("metadata" in entry ? entry.metadata.mtime : null));
    expect(times.every((time) => time !== null && time >= 0 && time <= 0x7fff_ffff)).toBe(true);
    expect(times[1]).toBe(0);
  });
});

describe("damaged archives", () => {
  const sample = (): Promise<Buffer> =>
    tar([directory("d"), file("d/a", "content"), file(`d/${"long".repeat(60)}`, "x"), symlink("l", "d/a")]);

  test("an archive that is cut within an entry is refused, at every length", async () => {
    const bytes = await sample();
    const whole = await parse(bytes);
    for (let length = 1; length < bytes.length; length += 1) {
      const read = await parse(bytes.subarray(0, length)).catch((error: unknown) => error);
      if (read instanceof BuildError) continue;
      // Between two entries nothing tells a cut from an end: there the diff id does.
      expect(length % 512).toBe(0);
      expect(whole.slice(0, (read as LayerEntry[]).length)).toEqual(read);
    }
  });

  test("flipped bits end in a BuildError or in entries, never in another error", async () => {
    const bytes = await sample();
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length * 8 - 1), async (bit) => {
        const flipped = Buffer.from(bytes);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const outcome = await parse(flipped).catch((error: unknown) => error);
        expect(outcome instanceof BuildError || Array.isArray(outcome)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("bytes at random end in a BuildError or in no entries", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), async (bytes) => {
        const outcome = await parse(bytes).catch((error: unknown) => error);
        expect(outcome instanceof BuildError || (outcome as unknown[]).length === 0).toBe(true);
      }),
    );
  });

  test("a size beyond the end of the archive is refused", async () => {
    const bytes = await tar([file("a", "abc")]);
    const broken = Buffer.concat([patched(bytes.subarray(0, 512), [[124, "77777777777"]]), bytes.subarray(512)]);
    expect(await codeOf(parse(broken))).toBe("malformed-layer");
  });

  test("the error of the source is told, and not that of the parser", async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield await tar([file("a", "abc")]).then((bytes) => bytes.subarray(0, 700));
      throw new Error("disk on fire");
    }
    await expect(readTar(failing(), name, () => {})).rejects.toThrow("disk on fire");
  });
});
