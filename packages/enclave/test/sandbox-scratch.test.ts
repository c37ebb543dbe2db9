import { rmSync, statSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scratchFile } from "../src/sandbox/scratch.ts";

test("a file for the sandbox has its mode, whatever the umask of whoever starts the box", async () => {
  const folder = await mkdtemp(join(tmpdir(), "blindbox-test-"));
  const before = process.umask(0o077);
  try {
    const { path } = scratchFile(folder, "", 0o755);
    expect(statSync(path).mode & 0o777).toBe(0o755);
  } finally {
    process.umask(before);
    rmSync(folder, { recursive: true });
  }
});
