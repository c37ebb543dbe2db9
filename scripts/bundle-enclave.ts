/**
 * Bundles what runs in the box, with everything that it imports, into files that need Node and nothing else:
 * `packages/cli/assets/enclave/{production,simulated}` and the simulated device. What is written there is measured.
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

/** The native program that goes with a bundle for real hardware; nothing for other bundles, or without a compiler. */
function nativeOf(folder: string): Uint8Array | null {
  if (folder !== nativeFolder) return null;
  const program = compileTeeIoctl();
  if (program !== null) return program;
  console.error(
    `note: no gcc for x86-64 here, so ${folder}/${teeIoctlName} is left out: a box of it cannot use an ioctl`,
  );
  return null;
}

async function write(folder: string): Promise<void> {
  const files = await bundle(folder);
  const destination = join(assets, folder);
  mkdirSync(destination, { recursive: true });
  for (const file of files) replaceFile(join(destination, file.name), Buffer.from(file.code), 0o644);
  const native = nativeOf(folder);
  if (native !== null) replaceFile(join(destination, teeIoctlName), native, 0o755);
  const names = new Set([...files.map((file) => file.name), ...(native === null ? [] : [teeIoctlName])]);
  for (const name of readdirSync(destination))
    if (!names.has(name)) rmSync(join(destination, name), { recursive: true, force: true });
}

if (import.meta.main) for (const folder of Object.keys(bundles)) await write(folder);
