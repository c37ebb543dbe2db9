/** The two programs of others that the sandbox is made with. */
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { SandboxError } from "./errors.ts";

export interface Tools {
  readonly bubblewrap: string;
  readonly ip: string;
}

/** Where a system keeps them; no environment variable is asked. */
const DIRECTORIES = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"];

/** @throws SandboxError `tool-missing` */
export function findTools(): Tools {
  return { bubblewrap: find("bwrap", "bubblewrap"), ip: find("ip", "iproute2") };
}

function find(name: string, debianPackage: string): string {
  const path = DIRECTORIES.map((directory) => join(directory, name)).find(isExecutable);
  if (path !== undefined) return path;
  throw new SandboxError("tool-missing", `there is no \`${name}\``, `Install it (Debian: ${debianPackage}).`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
