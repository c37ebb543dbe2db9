/** Inputs of a build that are small: a bundle of one line, a Node binary that is a head and nothing else. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BuildOptions } from "../../src/index.ts";
import { type ImageParts, ociFiles, scratchDirectory, writeDirectory } from "./images.ts";
import { directory, type Entry, file, hardLink, symlink, tar } from "./tar.ts";

const key = `sha256:${"a".repeat(64)}`;

/** A Manifest in JSON; `app` and `more` take the place of members. */
export function manifestText(app: object = {}, more: object = {}): string {
  return JSON.stringify({
    blindbox: 1,
    name: "hello",
    app: { image: "./image.tar", port: 80, ...app },
    access: {
      principals: [{ id: "acme", apiKey: key }],
      rules: [{ allow: ["acme"], methods: ["GET"], path: "/**" }],
    },
    ...more,
  });
}

/** The head of an ELF program for x86-64. */
export function nodeHead(): Buffer {
  const head = Buffer.alloc(100_000, "node");
  head.write("\x7fELF\x02\x01\x01", 0, "latin1");
  head.writeUInt16LE(0x3e, 18);
  return head;
}

export const appEntries: readonly Entry[] = [
  directory("etc"),
  file("etc/passwd", "root:x:0:0::/:\nweb:x:33:34::/:\n"),
  file("app", "#!/bin/sh\n", { mode: 0o4755, uid: 33, gid: 34, time: 1_500_000_000 }),
  hardLink("app-again", "app"),
  symlink("sh", "/bin/busybox", { time: 1_500_000_000 }),
  file(`deep/${"long-name-".repeat(25)}/ünïcödé`, "x"),
  file("empty", ""),
  directory("closed", { mode: 0o500, uid: 33 }),
  file("closed/secret", "s", { mode: 0o400, uid: 33 }),
];

/** Build inputs in a new directory, where `outDir` is `out`; the image is `entries` in one layer. */
export async function buildInputs(
  more: Partial<BuildOptions> = {},
  image: Partial<ImageParts> & { readonly entries?: readonly Entry[] } = {},
): Promise<BuildOptions> {
  const folder = scratchDirectory();
  const layers = [await tar(image.entries ?? appEntries)];
  const run = { Entrypoint: ["/app"], Cmd: ["--serve"], Env: ["B=2", "A=1"], User: "web", WorkingDir: "/srv/work" };
  writeDirectory(ociFiles({ layers, run, ...image }), join(folder, "image"));
  mkdirSync(join(folder, "bundle"));
  writeFileSync(join(folder, "bundle", "main.mjs"), "console.log(1);\n");
  writeFileSync(join(folder, "bundle", "gate.mjs"), "console.log(2);\n");
  writeFileSync(join(folder, "node"), nodeHead());
  return {
    source: join(folder, "image"),
    manifestText: manifestText(),
    manifestFormat: "json",
    bundleDir: join(folder, "bundle"),
    nodeBinary: join(folder, "node"),
    tee: "simulated",
    outDir: join(folder, "out"),
    version: "0.1.0",
    ...more,
  };
}
