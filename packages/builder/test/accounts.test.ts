import { describe, expect, test } from "vitest";
import { resolveUser } from "../src/rootfs/accounts.ts";
import { imageLimits } from "../src/limits.ts";
import { applyLayer } from "../src/rootfs/apply-layer.ts";
import { EntryBudget } from "../src/tar/entry-budget.ts";
import { type DirectoryNode, emptyDirectory } from "../src/rootfs/tree.ts";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { outputPlace } from "../src/file-fault.ts";
import { Scratch } from "../src/scratch.ts";
import { parseEntry } from "../src/tar/layer-entry.ts";
import { readTar } from "../src/tar/read-tar.ts";
import { scratchDirectory } from "./support/images.ts";
import { type Entry, file, symlink, tar } from "./support/tar.ts";

const passwd = [
  "root:x:0:0:root:/root:/bin/sh",
  "app:x:1000:1001::/app:",
  "1234:x:77:78::/:",
  "broken:x",
  "neg:x:-1:0::/:",
];
const group = ["root:x:0:", "staff:x:50:app", "5678:x:99:"];

async function rootWith(entries: readonly Entry[]): Promise<DirectoryNode> {
  const folder = join(scratchDirectory(), "scratch");
  mkdirSync(folder);
  const bytes = new Scratch(folder, outputPlace("scratch")).create();
  const archive = await tar(entries);
  bytes.append(archive);
  const parsed: ReturnType<typeof parseEntry>[] = [];
  async function* source(): AsyncGenerator<Uint8Array> {
    yield archive;
  }
  await readTar(
    source(),
    { field: "layer", code: "malformed-layer" },
    (header) => void parsed.push(parseEntry(header)),
  );
  const root = emptyDirectory(null);
  applyLayer(root, { entries: parsed, bytes }, new EntryBudget(imageLimits));
  return root;
}

const accounts = (): Promise<DirectoryNode> =>
  rootWith([file("etc/passwd", passwd.join("\n")), file("etc/group", group.join("\n"))]);

describe("the user of an image", () => {
  test.each([
    ["", 0, 0],
    ["root", 0, 0],
    ["app", 1000, 1001],
    ["app:staff", 1000, 50],
    ["app:7", 1000, 7],
    ["app:", 1000, 1001],
    ["1000", 1000, 1001],
    ["4000", 4000, 0],
    ["4000:4001", 4000, 4001],
    ["4000:staff", 4000, 50],
    [":staff", 0, 50],
    ["1234", 77, 78],
    ["0:5678", 0, 99],
    ["65535:65535", 65_535, 65_535],
  ])("%j is %i:%i", async (user, uid, gid) => {
    expect(resolveUser(await accounts(), user)).toEqual({ uid, gid });
  });

  test.each(["nobody", "app:nogroup", "App", "broken", "neg", "-1", "1e3", "0x10", "99999999999", "app:-1"])(
    "%j, which the image does not know, is an error that says what to do",
    async (user) => {
      const root = await accounts();
      expect(() => resolveUser(root, user)).toThrow(
        expect.objectContaining({ code: "unknown-user", hint: expect.stringContaining("app.user") }),
      );
    },
  );

  test.each(["65536", "0:65536", "4294967295"])("%j is more than the sandbox maps", async (user) => {
    const root = await accounts();
    expect(() => resolveUser(root, user)).toThrow(expect.objectContaining({ code: "owner-out-of-range" }));
  });

  test("a number needs no account file, a name does", async () => {
    const empty = emptyDirectory(null);
    expect(resolveUser(empty, "1000")).toEqual({ uid: 1000, gid: 0 });
    expect(resolveUser(empty, "")).toEqual({ uid: 0, gid: 0 });
    expect(() => resolveUser(empty, "app")).toThrow(expect.objectContaining({ code: "unknown-user" }));
  });

  test("an account file behind a symlink is the image's own, never the builder's", async () => {
    const inside = await rootWith([file("usr/etc/passwd", "app:x:5:6::/:"), symlink("etc", "/usr/etc")]);
    expect(resolveUser(inside, "app")).toEqual({ uid: 5, gid: 6 });
    const outside = await rootWith([symlink("etc/passwd", "/../../../../etc/passwd")]);
    expect(() => resolveUser(outside, "root")).toThrow(expect.objectContaining({ code: "unknown-user" }));
  });

  test("an account file of absurd size is not read", async () => {
    const root = await rootWith([file("etc/passwd", "x".repeat(2 ** 20 + 1))]);
    expect(() => resolveUser(root, "app")).toThrow(expect.objectContaining({ code: "limit-exceeded" }));
  });
});
