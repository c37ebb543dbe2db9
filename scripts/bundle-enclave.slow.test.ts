import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { bundles, nativeFolder, writeBundles } from "./bundle-enclave.ts";
import { compileTeeIoctl, teeIoctlName } from "./compile-tee-ioctl.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

function files(): string[] {
  return Object.keys(bundles).flatMap((folder) => {
    const path = join(root, "packages/cli/assets", folder);
    return readdirSync(path).map((name) => `${folder}/${name} ${statSync(join(path, name)).ino}`);
  });
}

test("bundling what has not changed leaves every file as it is, for whoever reads it at that moment", () => {
  execFileSync("node", ["scripts/bundle-enclave.ts"], { cwd: root });
  const before = files();
  execFileSync("node", ["scripts/bundle-enclave.ts"], { cwd: root });
  expect(files()).toEqual(before);
  const names = Object.entries(bundles).flatMap(([folder, entries]) =>
    Object.keys(entries).map((name) => `${folder}/${name}.mjs`),
  );
  names.push(`${nativeFolder}/${teeIoctlName}`);
  expect(new Set(before.map((file) => file.split(" ")[0]))).toEqual(new Set(names));
});

/** The script on a machine whose PATH has no compiler. */
function withoutCompiler(...args: readonly string[]): { readonly status: number | null; readonly stderr: string } {
  const path = mkdtempSync(join(tmpdir(), "blindbox-no-compiler-"));
  const options = { cwd: root, encoding: "utf8", env: { ...process.env, PATH: path } } as const;
  const { status, stderr } = spawnSync(process.execPath, ["scripts/bundle-enclave.ts", ...args], options);
  rmSync(path, { recursive: true });
  return { status, stderr };
}

test("a machine without a compiler is refused before a file is touched, with both next steps", () => {
  const before = files();
  expect(withoutCompiler()).toEqual({
    status: 1,
    stderr:
      "error: enclave/production/tee-ioctl: expected gcc for x86-64 Linux to compile it, found none\n" +
      "hint:  as root: apt-get install gcc; for simulated boxes alone: npm run build -- --without-native\n",
  });
  expect(files()).toEqual(before);
});

test("an argument that it does not know is refused", () => {
  const { status, stderr } = withoutCompiler("--without-natives");
  expect([status, stderr.split("\n")[0]]).toEqual([
    2,
    "error: argument --without-natives: unknown; expected nothing or --without-native",
  ]);
});

test("without the native program there is no bundle for real hardware, not even an older one, and every other one", async () => {
  // In the checkout, since files are moved into their place.
  mkdirSync(join(root, ".cache"), { recursive: true });
  const folder = mkdtempSync(join(root, ".cache/bundles-"));
  const names = (below: string): string[] => readdirSync(join(folder, below)).sort();
  await writeBundles(folder, Buffer.from("program"));
  expect(names(nativeFolder)).toEqual(["gate.mjs", "main.mjs", teeIoctlName]);
  expect(statSync(join(folder, nativeFolder, teeIoctlName)).mode & 0o111).toBe(0o111);
  await writeBundles(folder, null);
  expect(names("enclave")).toEqual(["simulated"]);
  expect(names("enclave/simulated")).toEqual(["gate.mjs", "main.mjs"]);
  expect(names("device")).toEqual(["main.mjs"]);
  rmSync(folder, { recursive: true });
});

test("the native program is the same bytes each time, a few KiB of static code with no library and no executable data", () => {
  const program = Buffer.from(compileTeeIoctl() ?? []);
  expect(program.equals(compileTeeIoctl() ?? Buffer.of())).toBe(true);
  expect(program.length).toBeGreaterThan(1_000);
  expect(program.length).toBeLessThan(16_384);
  expect(segments(program)).toEqual([
    { type: "load", flags: "r" },
    { type: "load", flags: "rx" },
    { type: "load", flags: "rw" },
    { type: "stack", flags: "rw" },
  ]);
  expect(program.includes(root)).toBe(false);
});

test("a machine without a compiler is told apart from one with a program that does not compile", () => {
  expect(compileTeeIoctl("no-such-compiler")).toBeNull();
  expect(() => compileTeeIoctl("false")).toThrow("does not compile");
});

/** The program headers of an ELF64 file, which name an interpreter or a dynamic section where there is one. */
function segments(program: Buffer): readonly { readonly type: string; readonly flags: string }[] {
  const [at, count] = [Number(program.readBigUInt64LE(32)), program.readUInt16LE(56)];
  return Array.from({ length: count }, (_, index) => {
    const header = program.subarray(at + index * 56);
    const [type, flags] = [header.readUInt32LE(0), header.readUInt32LE(4)];
    const bits = ["x", "w", "r"].filter((_letter, bit) => (flags >> bit) & 1);
    return { type: type === 1 ? "load" : type === 0x6474_e551 ? "stack" : `${type}`, flags: bits.reverse().join("") };
  });
}
