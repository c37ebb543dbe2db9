/** `verify --save` on a box, and `verify --bundle` when it is gone: as processes. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { attestedBox, echo } from "./attested-box.ts";
import { blindbox } from "./command.ts";
import { webServer } from "./peers.ts";

/** The comparisons of an output that passed, by name. */
function passed(stdout: string): readonly string[] {
  return stdout.split("\n").filter((line) => line.startsWith("  passed"));
}

test("what was saved is judged offline by the same comparisons, holds no credential, and is never overwritten", async () => {
  const { url, cwd, flags } = await attestedBox(echo);
  const live = await blindbox(["verify", url, ...flags, "--self-test", "--save", "bundle.json"], { cwd });
  expect(live).toMatchObject({ code: 0, stderr: "wrote bundle.json\n" });
  expect(live.stdout).toContain("self-test: all 15 refused");
  const before = readFileSync(join(cwd, "bundle.json"), "utf8");
  expect(before).not.toMatch(/"bb_|authorization|PRIVATE KEY/i);
  const offline = await blindbox(["verify", "--bundle", "bundle.json", ...flags], { cwd });
  expect(offline).toMatchObject({ code: 0, stderr: "" });
  expect(passed(offline.stdout)).toEqual(passed(live.stdout));
  const again = await blindbox(["verify", url, ...flags, "--save", "bundle.json"], { cwd });
  expect(again.code).toBe(2);
  expect(again.stderr).toMatch(/^error: bundle\.json: expected a new file, got a file that is there already\n/);
  expect(readFileSync(join(cwd, "bundle.json"), "utf8")).toBe(before);
});

test("a refused exchange is kept, and where there is nothing to keep that is said", async () => {
  const { url, cwd, flags } = await attestedBox(echo);
  const other = flags.map((flag) => (flag.startsWith("sha256:") ? `sha256:${"0".repeat(64)}` : flag));
  const refused = await blindbox(["verify", url, ...other, "--save", "refused.json"], { cwd });
  expect(refused).toMatchObject({ code: 1, stderr: "wrote refused.json\n" });
  const offline = await blindbox(["verify", "--bundle", "refused.json", ...flags], { cwd });
  expect(offline.code).toBe(0);
  const none = await blindbox(["verify", (await webServer()).url, ...flags, "--save", "none.json"], { cwd });
  expect(none).toMatchObject({ code: 1, stderr: "nothing was saved: there is no answer to keep\n" });
  expect(existsSync(join(cwd, "none.json"))).toBe(false);
});

test("an endless file is read no further than a bundle may be", async () => {
  const { cwd, flags } = await attestedBox(echo);
  const { code, stderr } = await blindbox(["verify", "--bundle", "/dev/zero", ...flags], { cwd });
  expect(code).toBe(2);
  expect(stderr).toMatch(/^error: \/dev\/zero: expected a bundle, got more than 16777216 bytes\nhint: .+\n$/);
});
