/** Compiles the enclave's one native program. The same compiler makes the same bytes, wherever it runs. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Its name in the bundle and in the image. */
export const teeIoctlName = "tee-ioctl";

const source = fileURLToPath(new URL("../packages/enclave/native/tee-ioctl.c", import.meta.url));

/** No libc, no start files, nothing of the machine or the time in the result. */
const flags: readonly string[] = [
  "-std=c11 -Os -Wall -Wextra -Werror",
  "-static -nostdlib -ffreestanding -fno-pie -no-pie",
  // Calls of a libc that is not there: the stack protector's, and memcpy in the place of a loop.
  "-fno-stack-protector -fno-tree-loop-distribute-patterns",
  "-fno-asynchronous-unwind-tables -fno-ident -fcf-protection=none -s",
  "-Wl,--build-id=none,-z,noexecstack,-z,norelro",
].flatMap((line) => line.split(" "));

/** The program; null where this machine has no compiler for it, or is another. Throws where the source does not compile. */
export function compileTeeIoctl(compiler: string = "gcc"): Uint8Array | null {
  if (process.platform !== "linux" || process.arch !== "x64") return null;
  const folder = mkdtempSync(join(tmpdir(), "blindbox-native-"));
  const output = join(folder, teeIoctlName);
  try {
    const { error, status, stderr } = spawnSync(compiler, [...flags, "-o", output, source], { encoding: "utf8" });
    if (error !== undefined) return null;
    if (status !== 0) throw new Error(`${teeIoctlName}.c does not compile:\n${stderr}`);
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
