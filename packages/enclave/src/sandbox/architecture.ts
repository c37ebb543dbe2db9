import { SandboxError } from "./errors.ts";

/**
 * The filter and the programs are numbers and machine code of one architecture.
 *
 * @throws SandboxError `architecture-unsupported`
 */
export function demandArchitecture(): void {
  if (process.platform === "linux" && process.arch === "x64") return;
  const reason = `the sandbox is made for Linux on x86-64, this is ${process.platform} on ${process.arch}`;
  throw new SandboxError("architecture-unsupported", reason, "Run the box on an x86-64 machine.");
}
