/**
 * Core dumps of the box: whoever owns the machine chooses where they go, and a fault of the kernel's making, such as a
 * counter that the application used up, can end the box by abort.
 */
import { writeFileSync } from "node:fs";
import { demandArchitecture } from "./architecture.ts";
import { SandboxError } from "./errors.ts";
import { coreLimit, setLimit } from "./limits/rlimits.ts";
import { runProgram } from "./program/run.ts";
import { makeScratch } from "./scratch.ts";

/**
 * From now on nothing of this process's memory, nor of its children's, is in any core dump, and no dump is made. Node can
 * set no limit of its own, so a program in `scratch` does; none of another package is needed.
 *
 * @throws SandboxError `architecture-unsupported`; `limits-refused` where the kernel does not do as it is told.
 */
export async function forbidCoreDumps(scratch: string): Promise<void> {
  demandArchitecture();
  try {
    leaveMemoryOut();
    makeScratch(scratch);
    await runProgram(scratch, [setLimit(process.pid, coreLimit())]);
  } catch (error) {
    const reason = `core dumps of the box cannot be turned off (${error instanceof Error ? error.message : "unknown"})`;
    throw new SandboxError("limits-refused", reason, "Choose a --scratch in which programs may be executed.");
  }
}

const NO_KIND_OF_MEMORY = "0";

/** core(5). It holds for every dump, wherever it goes, and whatever limit was set before us. */
function leaveMemoryOut(): void {
  try {
    writeFileSync("/proc/self/coredump_filter", NO_KIND_OF_MEMORY);
  } catch (error) {
    // A kernel that makes no core dumps has no such file (CONFIG_ELF_CORE).
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
