/** How mounts and the files of an image come together. */
import { symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type Layout, layOut, type Mount } from "../src/sandbox/rootfs/layout.ts";
import { resolveInside } from "../src/sandbox/rootfs/resolve.ts";
import { standardMounts } from "../src/sandbox/rootfs/mounts.ts";
import { makeDirectory, makeFile, removeTemporary, temporaryDirectory } from "./fixtures-sandbox/rootfs.ts";
import { specFor } from "./fixtures-sandbox/start-box.ts";

afterAll(removeTemporary);

/** Paths ending in `/` are directories, those with `->` links, all others files. */
function image(...paths: readonly string[]): string {
  const root = temporaryDirectory();
  for (const path of paths) {
    const [name = "", target] = path.split(" -> ");
    makeDirectory(join(root, name.endsWith("/") ? name : dirname(name)));
    if (target !== undefined) symlinkSync(target, join(root, name));
    else if (!name.endsWith("/")) makeFile(join(root, name), "");
  }
  return root;
}

describe("a path of the image", () => {
  test("is followed through links, as the application would, and never out of the image", () => {
    const root = image("a/b/", "abs -> /a", "rel -> a/b", "up -> ../../../a", "deep/link -> ../abs/b", "file");
    for (const [path, real] of [
      ["/a/b", "/a/b"],
      ["/abs/b", "/a/b"],
      ["/rel", "/a/b"],
      ["/up/b", "/a/b"],
      ["/deep/link", "/a/b"],
      ["/", "/"],
      ["/a/../a/./b", "/a/b"],
    ] as const) {
      expect(resolveInside(root, path), path).toEqual({ path: real, kind: "directory", existing: real });
    }
    expect(resolveInside(root, "/file").kind).toBe("file");
  });

  test("that is missing is told with the deepest directory that is there", () => {
    const root = image("a/b/", "dangling -> /a/none/further");
    expect(resolveInside(root, "/a/b/c/d")).toEqual({ path: "/a/b/c/d", kind: "missing", existing: "/a/b" });
    expect(resolveInside(root, "/dangling/x")).toEqual({ path: "/a/none/further/x", kind: "missing", existing: "/a" });
  });

  test("that turns in circles, leads through a file, or up from nowhere is refused", () => {
    const root = image("loop -> /loop", "ping -> pong", "pong -> ping", "file", "nowhere -> /none/../a");
    for (const path of ["/loop", "/ping/x", "/file/x", "/nowhere"]) {
      expect(() => resolveInside(root, path), path).toThrow(/rootfs-unusable/);
    }
  });
});

describe("a layout", () => {
  const tmpfs = (path: string, size = 1): Mount => ({ kind: "tmpfs", path, size, mode: 0o755 });

  test("leaves an image alone that has all mount points", () => {
    const layout = layOut(image("tmp/", "var/lib/app/", "etc/hosts"), [
      tmpfs("/tmp"),
      tmpfs("/var/lib/app"),
      { kind: "file", path: "/etc/hosts", content: "" },
    ]);
    expect(layout.rebuilt).toEqual([]);
    expect(layout.mounts.map(({ path }) => path)).toEqual(["/tmp", "/etc/hosts", "/var/lib/app"]);
  });

  test("rebuilds only the directory that lacks one, with all that is in it", () => {
    const root = image("tmp/", "var/lib/dpkg/status", "var/lib/link -> dpkg", "usr/bin/x");
    const { rebuilt } = layOut(root, [tmpfs("/tmp"), tmpfs("/var/lib/app/data")]);
    expect(rebuilt).toEqual([
      {
        path: "/var/lib",
        mode: 0o755,
        entries: [
          { kind: "bind", path: "/var/lib/dpkg" },
          { kind: "link", path: "/var/lib/link", target: "dpkg" },
        ],
      },
    ]);
  });

  test("rebuilds nothing below a directory that is writable anyway", () => {
    const layout = layOut(image("run/", "var/run -> /run"), [tmpfs("/run"), tmpfs("/var/run/app")]);
    expect(layout).toEqual({ rebuilt: [], mounts: [tmpfs("/run"), tmpfs("/run/app")] } satisfies Layout);
  });

  test("gives one directory one mount, the larger, however many names lead to it", () => {
    const layout = layOut(image("tmp/", "var/tmp -> /tmp"), [
      tmpfs("/tmp", 5),
      tmpfs("/var/tmp", 9),
      { kind: "directory", path: "/tmp" },
    ]);
    expect(layout.mounts).toEqual([tmpfs("/tmp", 9)]);
  });

  test("refuses what it cannot do as asked", () => {
    const root = image("tmp/", "proc/", "dev/", "file", "etc/hosts/");
    expect(() => layOut(root, [tmpfs("/")])).toThrow(/rootfs-unusable/);
    expect(() => layOut(root, [tmpfs("/file")])).toThrow(/rootfs-unusable/);
    expect(() => layOut(root, [{ kind: "proc", path: "/proc" }, tmpfs("/proc/self")])).toThrow(/rootfs-unusable/);
    expect(() => layOut(root, [tmpfs("/tmp"), { kind: "proc", path: "/tmp" }])).toThrow(/rootfs-unusable/);
    expect(() => layOut(root, [{ kind: "file", path: "/etc/hosts", content: "" }])).toThrow(/rootfs-unusable/);
    expect(() => layOut(root, standardMounts(specFor(root, { writable: ["/dev/hugepages"] })))).toThrow(
      /rootfs-unusable/,
    );
  });

  test("has shared memory of the size that the Manifest gives to it", () => {
    const shared = (writable: string[]) =>
      standardMounts(
        specFor("/none", { writable, resources: { memory: 1, cpus: 1, processes: 1, tmp: 2 ** 30 } }),
      ).find(({ kind }) => kind === "devices");
    expect(shared([])).toMatchObject({ sharedMemory: 2 ** 26 });
    expect(shared(["/dev/shm"])).toMatchObject({ sharedMemory: 2 ** 30 });
  });
});
