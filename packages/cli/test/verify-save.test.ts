/** `verify --save`: where nothing can be kept, the box is not asked. */
import { existsSync, readdirSync, symlinkSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { kept, run } from "./kept-exchange.ts";
import { webServer } from "./peers.ts";

describe("a file that cannot be made", () => {
  test.each<[string, (path: (name: string) => string) => string, string]>([
    ["one that is there", (path) => path("release.json"), "a file that is there already"],
    ["a directory", (path) => path("."), "a file that is there already"],
    ["a link that leads nowhere", linked, "a file that is there already"],
    ["one in no directory", (path) => path("none/kept.json"), "no such file or directory"],
    ["one below a file", (path) => path("release.json/kept.json"), "a path through something that is no directory"],
    ["one with the name of a directory", (path) => `${path("kept")}/`, "a name that no file can have"],
    ["one without a name", () => "", "a name that no file can have"],
    ["one with too long a name", (path) => path("a".repeat(300)), "a name that is too long"],
  ])("%s is told before the box is asked", async (_what, name, words) => {
    const { path, flags } = await kept();
    const { url, asked } = await webServer();
    const file = name(path);
    const before = readdirSync(path("."));
    const { code, stdout, stderr } = await run(["verify", url, ...flags, "--save", file]);
    expect({ code, stdout, asked }).toEqual({ code: 2, stdout: "", asked: [] });
    expect(stderr).toBe(
      `error: ${file}: expected a new file, got ${words}\nhint: nothing is overwritten: name another file\n`,
    );
    expect(readdirSync(path("."))).toEqual(before);
  });

  test("is no matter where it can be: the box is asked, and nothing is made of an answer that is none", async () => {
    const { path, flags } = await kept();
    const { url, asked } = await webServer();
    const { code } = await run(["verify", url, ...flags, "--save", path("kept.json")]);
    expect(code).toBe(1);
    expect(asked).toHaveLength(1);
    expect(existsSync(path("kept.json"))).toBe(false);
  });
});

function linked(path: (name: string) => string): string {
  symlinkSync(path("nowhere"), path("link"));
  return path("link");
}
