import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hasAssets } from "./assets.ts";
import { blindbox, emptyDirectory } from "./command.ts";

/** A directory with a Manifest whose image is `image`. */
function workplace(image: string, egress = "[]"): string {
  const cwd = emptyDirectory();
  const access = `{ principals: [{ id: me, apiKey: "sha256:${"a".repeat(64)}" }], rules: [] }`;
  const text = `blindbox: 1\nname: hello\napp: { image: ${image}, port: 80 }\naccess: ${access}\negress: ${egress}\n`;
  writeFileSync(join(cwd, "blindbox.yml"), text);
  return cwd;
}

describe("blindbox build", () => {
  test("without a Manifest it says how to get one", async () => {
    const { code, stderr } = await blindbox(["build"], { cwd: emptyDirectory() });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^error: blindbox\.yml: expected a Manifest, got no such file.*\nhint: `blindbox init` writes a first one\n$/,
    );
  });

  test("refuses a TEE that this version cannot build for", async () => {
    const { code, stderr } = await blindbox(["build", "--tee", "sev-snp"], { cwd: workplace("x.tar") });
    expect(code).toBe(2);
    expect(stderr).toContain("Allowed choices are simulated.");
  });
});

describe.skipIf(!hasAssets)("blindbox build (needs the bundles: npm run build)", () => {
  test.each([
    [
      "./missing.tar",
      "error: ./missing.tar: expected an OCI layout directory, an OCI archive or a docker archive, got no such file",
    ],
    ["example/app:1.2", "registry"],
    ["./blindbox.yml", "error: "],
    [".", ": expected an OCI layout directory, an OCI archive or a docker archive, got a directory without index.json"],
  ])("an image %s is refused with a hint, and nothing is written", async (image, text) => {
    const cwd = workplace(image);
    const { code, stdout, stderr } = await blindbox(["build"], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(text);
    expect(stderr).toMatch(/\nhint: .+\n$/);
    expect(readdirSync(cwd)).toEqual(["blindbox.yml"]);
  });

  test.each(["", "/proc", "/proc/x", "blindbox.yml", "blindbox.yml/x"])(
    "an output directory %j is refused in one line with a hint",
    async (outDir) => {
      const cwd = workplace("./missing.tar");
      const { code, stdout, stderr } = await blindbox(["build", "--out-dir", outDir], { cwd });
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(/^error: .+: expected a directory that can be written to, got .+\nhint: .+\n$/);
      expect(readdirSync(cwd)).toEqual(["blindbox.yml"]);
    },
  );

  test("an image without an end is refused by its name", async () => {
    const { code, stderr } = await blindbox(["build"], { cwd: workplace("/dev/zero") });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: \/dev\/zero: expected .+, got something that is no file\nhint: .+\n$/);
  });
});
