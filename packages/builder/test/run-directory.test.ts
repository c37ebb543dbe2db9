import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { createRunDirectory } from "../src/local/run-directory.ts";
import { scratchDirectory } from "./support/images.ts";

const startOf = (pid: number): string =>
  readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ")[19] ?? "";

test("directories of processes that are gone are removed, also where another process has their pid now", async () => {
  const state = scratchDirectory();
  const runs = join(state, "runs");
  const living = `${process.ppid}-${startOf(process.ppid)}-00000000`;
  const reused = `${process.pid}-1-00000000`;
  const gone = "4194304000-1-00000000";
  for (const name of [living, reused, gone, "notes"]) mkdirSync(join(runs, name, "files"), { recursive: true });
  writeFileSync(join(runs, gone, "files", "x"), "x");
  const run = await createRunDirectory(state);
  expect(readdirSync(runs).sort()).toEqual([living, "notes", basename(run.path)].sort());
  await run.remove();
  expect(readdirSync(runs).sort()).toEqual([living, "notes"].sort());
});

test.each(["720", "702"])("a directory of mode %s, into which others may write, is refused", async (mode) => {
  for (const name of ["", "runs"]) {
    const state = scratchDirectory();
    mkdirSync(join(state, "runs"), { mode: 0o700 });
    chmodSync(join(state, name), Number.parseInt(mode, 8));
    const refused = { name: "RunError", code: "state-unusable", hint: expect.stringMatching(/\S/) };
    await expect(createRunDirectory(state)).rejects.toMatchObject(refused);
  }
});

test.skipIf(process.getuid?.() !== 0)("a directory of another user is refused (skipped without root)", async () => {
  for (const name of ["", "runs"]) {
    const state = scratchDirectory();
    mkdirSync(join(state, "runs"), { mode: 0o700 });
    chownSync(join(state, name), 65_534, 65_534);
    await expect(createRunDirectory(state)).rejects.toMatchObject({ code: "state-unusable" });
  }
});

test("two runs of one process have directories of their own", async () => {
  const state = scratchDirectory();
  const [one, other] = [await createRunDirectory(state), await createRunDirectory(state)];
  expect(one.path).not.toBe(other.path);
  expect(readdirSync(join(state, "runs"))).toHaveLength(2);
});
