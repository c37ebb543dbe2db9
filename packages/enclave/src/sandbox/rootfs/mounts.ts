/** What every application finds beside the files of its image. */
import type { SandboxSpec } from "../../parts.ts";
import { APP_ADDRESS, GATE_ADDRESS } from "../network/addresses.ts";
import type { Mount } from "./layout.ts";

/** Bytes of /run and /dev/shm, where the Manifest does not give less to everything; as much as containers are used to. */
const SMALL = 64 * 1024 * 1024;

const SHARED_MEMORY = "/dev/shm";

/** The host name; the same in every box. */
export const HOST_NAME = "app";

export function standardMounts({ resources, writable, workingDir }: SandboxSpec): Mount[] {
  const small = Math.min(SMALL, resources.tmp);
  return [
    { kind: "directory", path: workingDir },
    { kind: "proc", path: "/proc" },
    { kind: "devices", path: "/dev", sharedMemory: writable.includes(SHARED_MEMORY) ? resources.tmp : small },
    { kind: "tmpfs", path: "/tmp", size: resources.tmp, mode: 0o1777 },
    { kind: "tmpfs", path: "/run", size: small, mode: 0o755 },
    ...writable
      .filter((path) => path !== SHARED_MEMORY)
      .map((path): Mount => ({ kind: "tmpfs", path, size: resources.tmp, mode: 0o755 })),
    { kind: "file", path: "/etc/hosts", content: `127.0.0.1 localhost\n${APP_ADDRESS} ${HOST_NAME}\n` },
    { kind: "file", path: "/etc/resolv.conf", content: `nameserver ${GATE_ADDRESS}\n` },
  ];
}
