/** What of an enclave bundle goes into the image: programs of Node, and the one native program of a bundle for hardware. */
import { rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { runtimeEntries } from "../src/box/box-entries.ts";
import { readRuntimeFiles } from "../src/box/runtime-files.ts";
import { outputPlace } from "../src/file-fault.ts";
import { Scratch } from "../src/scratch.ts";
import { buildInputs, nodeHead } from "./support/boxes.ts";

async function read(spoil: (bundle: string) => void) {
  const { bundleDir, nodeBinary } = await buildInputs();
  spoil(bundleDir);
  const scratch = new Scratch(dirname(bundleDir), outputPlace("scratch"));
  try {
    const runtime = await readRuntimeFiles(bundleDir, nodeBinary, scratch);
    const entries = runtimeEntries(runtime).map((entry) => `${entry.name} ${entry.metadata.mode.toString(8)}`);
    return { entries, digest: runtime.bundleDigest };
  } finally {
    scratch.close();
  }
}

describe("the native program of a bundle", () => {
  test("stands beside the others, and is the only one of them that can be executed", async () => {
    const { entries } = await read((bundle) => writeFileSync(join(bundle, "tee-ioctl"), nodeHead()));
    expect(entries).toEqual([
      "blindbox 755",
      "blindbox/enclave 755",
      "blindbox/enclave/gate.mjs 644",
      "blindbox/enclave/main.mjs 644",
      "blindbox/enclave/tee-ioctl 755",
      "blindbox/node 755",
    ]);
  });

  test("is measured: its bytes are in the digest of the bundle", async () => {
    const other = nodeHead();
    other[40] = 1;
    const digests = await Promise.all([
      read(() => undefined),
      read((bundle) => writeFileSync(join(bundle, "tee-ioctl"), nodeHead())),
      read((bundle) => writeFileSync(join(bundle, "tee-ioctl"), other)),
    ]);
    expect(new Set(digests.map(({ digest }) => digest)).size).toBe(3);
  });

  test.each<readonly [string, (bundle: string) => void]>([
    ["a script in its place", (bundle) => writeFileSync(join(bundle, "tee-ioctl"), "#!/bin/sh\n")],
    ["an empty file in its place", (bundle) => writeFileSync(join(bundle, "tee-ioctl"), "")],
    ["another program", (bundle) => writeFileSync(join(bundle, "tee-ioctl2"), nodeHead())],
    ["no main program", (bundle) => rmSync(join(bundle, "main.mjs"))],
  ])("%s is refused", async (_what, spoil) => {
    await expect(read(spoil)).rejects.toMatchObject({ code: "bad-runtime" });
  });
});
