/**
 * Bundles what runs in the box, with everything that it imports, into files that need Node and nothing else:
 * `packages/cli/assets/enclave/{production,simulated}` and the simulated device. What is written there is measured.
 *
 * `--without-native`: a machine without a compiler is no error, and has no bundle for real hardware afterwards.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { compileTeeIoctl, teeIoctlName } from "./compile-tee-ioctl.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = join(root, "packages/enclave/src");
const assets = join(root, "packages/cli/assets");

/** What is bundled: the folder, and its files by entry. The gate and the production rooms are the same in both. */
export const bundles: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "enclave/production": { main: "main.ts", gate: "sandbox/gate/main.ts" },
  "enclave/simulated": { main: "simulated/main.ts", gate: "sandbox/gate/main.ts" },
  device: { main: "simulated/device/main.ts" },
};

const withoutNative = "--without-native";

/** Where the native program goes. */
export const nativeFolder = "enclave/production";

/** One file of a bundle: its text, and the modules that it was made of, relative to the repository. */
export interface BundledFile {
  readonly name: string;
  readonly code: string;
  readonly modules: readonly string[];
}

async function bundleEntry(name: string, entry: string): Promise<BundledFile> {
  const build = await rolldown({
    input: { [name]: join(source, entry) },
    platform: "node",
    resolve: { conditionNames: ["blindbox-source", "node", "import", "default"] },
    treeshake: true,
    logLevel: "warn",
  });
  const { output } = await build.generate({
    format: "esm",
    entryFileNames: "[name].mjs",
    codeSplitting: false,
    comments: { legal: true },
  });
  await build.close();
  const [chunk] = output;
  const modules = Object.keys(chunk.modules).map((module) => module.replace(root, ""));
  return { name: `${name}.mjs`, code: chunk.code, modules: modules.sort() };
}

/** Builds one bundle in memory. */
export async function bundle(folder: string): Promise<BundledFile[]> {
  const entries = Object.entries(bundles[folder] ?? {});
  return Promise.all(entries.map(([name, entry]) => bundleEntry(name, entry)));
}

// A box may be built from these files meanwhile: it finds the old ones or the new ones, whole.
function replaceFile(path: string, bytes: Uint8Array, mode: number): void {
  if (existsSync(path) && readFileSync(path).equals(bytes)) return;
  const unfinished = join(root, ".cache", `${process.pid}-${basename(path)}`);
  mkdirSync(dirname(unfinished), { recursive: true });
  writeFileSync(unfinished, bytes);
  chmodSync(unfinished, mode);
  renameSync(unfinished, path);
}

/** Writes every bundle below `destination`. Without the native program there is none for real hardware: not half of one. */
export async function writeBundles(destination: string, native: Uint8Array | null): Promise<void> {
  for (const folder of Object.keys(bundles)) {
    const path = join(destination, folder);
    if (folder !== nativeFolder) await write(folder, path, {});
    else if (native === null) rmSync(path, { recursive: true, force: true });
    else await write(folder, path, { [teeIoctlName]: native });
  }
}

async function write(
  folder: string,
  destination: string,
  programs: Readonly<Record<string, Uint8Array>>,
): Promise<void> {
  const files = await bundle(folder);
  mkdirSync(destination, { recursive: true });
  for (const file of files) replaceFile(join(destination, file.name), Buffer.from(file.code), 0o644);
  for (const [name, program] of Object.entries(programs)) replaceFile(join(destination, name), program, 0o755);
  const names = new Set([...files.map((file) => file.name), ...Object.keys(programs)]);
  for (const name of readdirSync(destination))
    if (!names.has(name)) rmSync(join(destination, name), { recursive: true, force: true });
}

function end(status: number, problem: string, hint: string): never {
  console.error(`error: ${problem}\nhint:  ${hint}`);
  process.exit(status);
}

async function main(args: readonly string[]): Promise<void> {
  const unknown = args.find((arg) => arg !== withoutNative);
  if (unknown !== undefined) {
    end(2, `argument ${unknown}: unknown; expected nothing or ${withoutNative}`, "node scripts/bundle-enclave.ts");
  }
  const native = compileTeeIoctl();
  if (native === null && !args.includes(withoutNative)) {
    const problem = `${nativeFolder}/${teeIoctlName}: expected gcc for x86-64 Linux to compile it, found none`;
    end(1, problem, `as root: apt-get install gcc; for simulated boxes alone: npm run build -- ${withoutNative}`);
  }
  await writeBundles(assets, native);
}

if (import.meta.main) await main(process.argv.slice(2));
