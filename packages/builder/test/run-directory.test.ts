import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { createRunDirectory } from "../src/local/run-directory.ts";
import { scratchDirectory } from "./support/images.ts";
import { asOrdinaryUser } from "./support/ordinary-user.ts";
import { canMount, smallDisk } from "./support/small-disk.ts";

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

describe("a state directory that cannot be used", () => {
  const refused = { name: "RunError", code: "state-unusable", hint: expect.stringContaining("XDG_STATE_HOME") };

  test.each([
    ["where no files can be", () => "/proc/blindbox", "no such file or directory"],
    [
      "that is a file",
      () => {
        const path = join(scratchDirectory(), "file");
        writeFileSync(path, "");
        return path;
      },
      "a file of that name",
    ],
  ])("%s is refused by its name", async (_what, make, actual) => {
    const state = make();
    const message = `the state directory ${state} cannot be used: ${actual}`;
    await expect(createRunDirectory(state)).rejects.toMatchObject({ ...refused, message });
  });

  test("into which one may not write is refused", async () => {
    const folder = scratchDirectory();
    chmodSync(folder, 0o555);
    await asOrdinaryUser(() =>
      expect(createRunDirectory(join(folder, "state"))).rejects.toMatchObject({
        ...refused,
        message: expect.stringContaining("no permission"),
      }),
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test.skipIf(!canMount)("that is full or read-only is refused (needs mounts)", async () => {
    for (const [options, actual] of [
      ["nr_inodes=1", "a full disk"],
      ["nr_inodes=2", "a full disk"],
      ["nr_inodes=3", "a full disk"],
      ["ro", "a read-only file system"],
    ] as const) {
      const failing = createRunDirectory(join(smallDisk(options), "state"));
      await expect(failing).rejects.toMatchObject({ ...refused, message: expect.stringContaining(actual) });
    }
  });
});

test("two runs of one process have directories of their own", async () => {
  const state = scratchDirectory();
  const [one, other] = [await createRunDirectory(state), await createRunDirectory(state)];
  expect(one.path).not.toBe(other.path);
  expect(readdirSync(join(state, "runs"))).toHaveLength(2);
});
