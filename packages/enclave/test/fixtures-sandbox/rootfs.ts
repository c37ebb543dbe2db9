/** Small root file systems with a real program in them. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Driver } from "../../src/parts.ts";
import { isRoot, NOBODY } from "./availability.ts";

const temporary: string[] = [];

/** A directory that everybody may enter; `removeTemporary` takes it away. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), "blindbox-test-"));
  chmodSync(path, 0o755);
  temporary.push(path);
  return path;
}

export function removeTemporary(): void {
  for (const path of temporary.splice(0)) rmSync(path, { recursive: true, force: true });
}

/** A directory and those above it that were not there, which everybody may enter, whatever the umask of whoever tests. */
export function makeDirectory(path: string): void {
  const first = mkdirSync(path, { recursive: true });
  if (first === undefined) return;
  for (let made = resolve(path); made.length >= first.length; made = dirname(made)) chmodSync(made, 0o755);
}

/** A file with this very mode; left out, everybody may read it. */
export function makeFile(path: string, content: string, mode = 0o644): void {
  writeFileSync(path, content);
  chmodSync(path, mode);
}

/** Ordinary image: busybox, with the directories that images have. */
export function busyboxRootfs(driver: Driver): string {
  const root = temporaryDirectory();
  for (const directory of ["bin", "etc", "tmp", "proc", "dev", "run", "var/lib", "www"]) {
    makeDirectory(join(root, directory));
  }
  place("/bin/busybox", join(root, "bin/busybox"));
  for (const applet of ["sh", "httpd", "cat", "sleep", "id", "ls", "dd", "env"]) {
    symlinkSync("busybox", join(root, "bin", applet));
  }
  makeFile(join(root, "www/index.html"), "hello\n");
  return ownedFor(driver, root);
}

/** As little as there can be: one static program, and not even a mount point. */
export function scratchRootfs(driver: Driver): string {
  const root = temporaryDirectory();
  place("/bin/busybox", join(root, "busybox"));
  return ownedFor(driver, root);
}

/** Node with its libraries, and the application that looks around from the inside as `/app.mjs`. */
export function nodeRootfs(driver: Driver): string {
  const root = busyboxRootfs(driver);
  addProgram(root, process.execPath, "/usr/bin/node");
  place(fileURLToPath(new URL("look-around.mjs", import.meta.url)), join(root, "app.mjs"));
  return ownedFor(driver, root);
}

/** A program of this machine with its libraries, under the same path or another. */
export function addProgram(root: string, program: string, path: string = program): void {
  place(program, join(root, path));
  for (const library of librariesOf(program)) place(library, join(root, library));
}

// A copy, never a second name: what a test does to its files must not happen to this machine's.
function place(from: string, to: string): void {
  makeDirectory(dirname(to));
  if (existsSync(to)) return;
  copyFileSync(realpathSync(from), to);
  chmodSync(to, 0o755);
}

function librariesOf(program: string): string[] {
  const text = execFileSync("ldd", [program], { encoding: "utf8" });
  return [...text.matchAll(/(\/\S+\.so[.\d]*)/g)].map(([, path = ""]) => path);
}

// An ordinary user unpacks an image as its own files.
function ownedFor(driver: Driver, root: string): string {
  if (!isRoot || driver === "rooted") return root;
  const visit = (path: string) => {
    lchownSync(path, NOBODY, NOBODY);
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory()) visit(join(path, entry.name));
      else if (!entry.isFile()) lchownSync(join(path, entry.name), NOBODY, NOBODY);
    }
  };
  visit(root);
  return root;
}
