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
import { dirname, join } from "node:path";
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

/** Ordinary image: busybox, with the directories that images have. */
export function busyboxRootfs(driver: Driver): string {
  const root = temporaryDirectory();
  for (const directory of ["bin", "etc", "tmp", "proc", "dev", "run", "var/lib", "www"]) {
    mkdirSync(join(root, directory), { recursive: true });
  }
  copyFileSync("/bin/busybox", join(root, "bin/busybox"));
  for (const applet of ["sh", "httpd", "cat", "sleep", "id", "ls", "dd", "env"]) {
    symlinkSync("busybox", join(root, "bin", applet));
  }
  writeFileSync(join(root, "www/index.html"), "hello\n");
  return ownedFor(driver, root);
}

/** As little as there can be: one static program, and not even a mount point. */
export function scratchRootfs(driver: Driver): string {
  const root = temporaryDirectory();
  copyFileSync("/bin/busybox", join(root, "busybox"));
  return ownedFor(driver, root);
}

/** Node with its libraries, and the application that looks around from the inside as `/app.mjs`. */
export function nodeRootfs(driver: Driver): string {
  const root = busyboxRootfs(driver);
  addProgram(root, process.execPath, "/usr/bin/node");
  copyFileSync(new URL("look-around.mjs", import.meta.url), join(root, "app.mjs"));
  return ownedFor(driver, root);
}

/** A program of this machine with its libraries, under the same path or another. */
export function addProgram(root: string, program: string, path: string = program): void {
  place(program, join(root, path));
  for (const library of librariesOf(program)) place(library, join(root, library));
}

// A copy, never a second name: what a test does to its files must not happen to this machine's.
function place(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  if (!existsSync(to)) copyFileSync(realpathSync(from), to);
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
