import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type TarEntry, writeTar } from "../src/tar/write-tar.ts";
import { scratchDirectory } from "./support/images.ts";
import { untar } from "./support/tar.ts";

const metadata = { mode: 0o644, uid: 1000, gid: 100, mtime: 1_600_000_000 };

function plain(name: string, body: string): TarEntry {
  const bytes = Buffer.from(body);
  return { kind: "file", name, metadata, size: bytes.length, content: () => [bytes] };
}

const bytesOf = (entries: readonly TarEntry[]): Buffer => Buffer.concat([...writeTar(entries)]);

test("the bytes of an archive are fixed: a change of any of them is a change of every measurement", () => {
  const entries: TarEntry[] = [
    { kind: "directory", name: "d", metadata: { ...metadata, mode: 0o1777 } },
    plain("d/file", "content"),
    plain(`d/${"long".repeat(70)}`, "under a PAX header"),
    plain("d/ünï", "not ASCII"),
    { kind: "symlink", name: "d/link", metadata, target: "file" },
    { kind: "hard-link", name: "d/same", metadata, target: "d/file" },
  ];
  const digest = createHash("sha256").update(bytesOf(entries)).digest("hex");
  expect(digest).toBe("eb601c11bed262e1cd203b94a709786737af0a50c97319663d09b3d67c8a4188");
});

test("tar-stream reads back what is written", async () => {
  const name = fc.stringMatching(/^[a-zé€ 0-9._-]{1,120}(\/[a-z\u{1f600}]{1,60}){0,4}$/u);
  const entry = fc.record({
    name,
    body: fc.string({ maxLength: 1500 }),
    mode: fc.integer({ min: 0, max: 0o1777 }),
    uid: fc.integer({ min: 0, max: 65_535 }),
    mtime: fc.integer({ min: 0, max: 0x7fff_ffff }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 6 }), async (specs) => {
      const entries = specs.map(({ name, body, ...rest }) => ({ ...plain(name, body), metadata: { gid: 7, ...rest } }));
      const read = await untar(bytesOf(entries));
      const found = read.map(({ header, body }) => ({
        name: header.name,
        body: body.toString(),
        mode: header.mode,
        uid: header.uid,
        mtime: (header.mtime?.getTime() ?? -1) / 1000,
      }));
      expect(found).toEqual(specs);
    }),
  );
});

test("GNU tar lists long names, links and names with line breaks as they were meant", () => {
  const long = `${"deep/".repeat(60)}file`;
  const entries: TarEntry[] = [
    plain(long, "x"),
    { kind: "symlink", name: "link", metadata, target: `../${long}` },
    { kind: "hard-link", name: "again", metadata, target: long },
    plain("line\nbreak", "y"),
  ];
  const archive = join(scratchDirectory(), "a.tar");
  writeFileSync(archive, bytesOf(entries));
  const listed = spawnSync("tar", ["--list", "--verbose", "--numeric-owner", "--file", archive], { encoding: "utf8" });
  expect(listed.status).toBe(0);
  expect(listed.stderr).toBe("");
  expect(listed.stdout).toContain(long);
  expect(listed.stdout).toContain(`link -> ../${long}`);
  expect(listed.stdout).toContain(`again link to ${long}`);
  expect(listed.stdout).toContain("line\\nbreak");
  expect(listed.stdout).toContain("1000/100");
});

test("a size above 8 GiB goes into a PAX record", () => {
  const size = 2 ** 34;
  const entry: TarEntry = { kind: "file", name: "big", metadata, size, content: () => [] };
  const headers: Uint8Array[] = [];
  expect(() => {
    for (const chunk of writeTar([entry])) headers.push(chunk);
  }).toThrow(RangeError);
  expect(Buffer.concat(headers).toString("latin1")).toContain(`size=${size}\n`);
});

test("a content that is not of its size ends the writing", () => {
  const entry: TarEntry = { kind: "file", name: "a", metadata, size: 3, content: () => [Buffer.from("four")] };
  expect(() => bytesOf([entry])).toThrow("expected 3 bytes, found 4");
});
