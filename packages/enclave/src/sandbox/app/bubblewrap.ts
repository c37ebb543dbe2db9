/** What bubblewrap is asked for. It makes the mounts, the pid namespace with its reaper, and sets the filter. */
import { existsSync } from "node:fs";
import type { Capability } from "../kernel/constants.ts";
import { HOST_NAME } from "../rootfs/mounts.ts";
import type { Layout, Mount, RebuiltDirectory } from "../rootfs/layout.ts";

/** Descriptors that bubblewrap is handed. */
export interface BubblewrapDescriptors {
  readonly info: number;
  readonly filter: number;
  readonly innerUser: number;
  /** One a mount of kind `file`, in the order of the layout. */
  readonly files: readonly number[];
}

export interface BubblewrapOptions {
  /** Where the image's files lie, as bubblewrap sees it. */
  readonly source: string;
  readonly layout: Layout;
  readonly workingDir: string;
  readonly capabilities: readonly Capability[];
  readonly descriptors: BubblewrapDescriptors;
}

/** The namespaces but those of users and networks, which are there already. */
const ISOLATION = [
  "--unshare-pid",
  "--unshare-ipc",
  "--unshare-uts",
  "--unshare-cgroup",
  "--hostname",
  HOST_NAME,
  "--die-with-parent",
  "--new-session",
  "--cap-drop",
  "ALL",
];

/** Without it the entry could not give up the others. */
const FOR_THE_ENTRY: Capability = "CAP_SETPCAP";

/** Directories that we make ourselves hold mount points and links only. */
const DIRECTORY_BYTES = 1024 * 1024;
const DEVICES = ["null", "zero", "full", "random", "urandom"];
const DEVICE_LINKS = {
  fd: "/proc/self/fd",
  stdin: "/proc/self/fd/0",
  stdout: "/proc/self/fd/1",
  stderr: "/proc/self/fd/2",
};
/** What /proc tells of the whole machine, or of keys. */
const HIDDEN_IN_PROC = ["kcore", "keys", "key-users", "timer_list", "sched_debug", "latency_stats", "cmdline"];
/** The reaper runs as the application's user: whoever may write its memory takes it over and outlives the box. */
const REAPER_IN_PROC = "1";
const EMPTY_DIRECTORY_BYTES = 4096;

/** The arguments in front of the command. */
export function bubblewrapArguments(options: BubblewrapOptions): string[] {
  const { layout, source, workingDir, capabilities, descriptors } = options;
  return [
    ...ISOLATION,
    ...[...capabilities, FOR_THE_ENTRY].flatMap((capability) => option("--cap-add", capability)),
    ...option("--userns2", descriptors.innerUser),
    ...option("--info-fd", descriptors.info),
    ...option("--seccomp", descriptors.filter),
    ...rootDirectory(layout, source),
    ...layout.rebuilt.filter(({ path }) => path !== "/").flatMap((directory) => rebuiltDirectory(directory, source)),
    ...layout.mounts.flatMap((mount) => mountArguments(mount, fileDescriptor(layout, mount, descriptors.files))),
    ...layout.rebuilt.flatMap(({ path }) => option("--remount-ro", path)),
    ...option("--chdir", workingDir),
  ];
}

function option(name: string, ...values: readonly (string | number)[]): string[] {
  return [name, ...values.map(String)];
}

function rootDirectory(layout: Layout, source: string): string[] {
  const rebuilt = layout.rebuilt.find(({ path }) => path === "/");
  return rebuilt ? entries(rebuilt, source) : ["--ro-bind", source, "/"];
}

function rebuiltDirectory(directory: RebuiltDirectory, source: string): string[] {
  return [...tmpfs(directory.path, DIRECTORY_BYTES, directory.mode), ...entries(directory, source)];
}

function entries({ entries: list }: RebuiltDirectory, source: string): string[] {
  return list.flatMap((entry) =>
    entry.kind === "link"
      ? ["--symlink", entry.target, entry.path]
      : ["--ro-bind", `${source}${entry.path}`, entry.path],
  );
}

function mountArguments(mount: Mount, descriptor: number): string[] {
  switch (mount.kind) {
    case "proc":
      return ["--proc", mount.path, ...hiddenInProc(mount.path), ...hiddenReaper(mount.path)];
    case "devices":
      return devices(mount.path, mount.sharedMemory);
    case "directory":
      return ["--dir", mount.path];
    case "tmpfs":
      return tmpfs(mount.path, mount.size, mount.mode);
    case "file":
      return ["--perms", "0444", "--ro-bind-data", `${descriptor}`, mount.path];
  }
}

function hiddenInProc(path: string): string[] {
  const there = HIDDEN_IN_PROC.filter((name) => existsSync(`/proc/${name}`));
  return there.flatMap((name) => ["--dev-bind", "/dev/null", `${path}/${name}`]);
}

function hiddenReaper(path: string): string[] {
  const reaper = `${path}/${REAPER_IN_PROC}`;
  return [...tmpfs(reaper, EMPTY_DIRECTORY_BYTES, 0o555), ...option("--remount-ro", reaper)];
}

function devices(path: string, sharedMemory: number): string[] {
  return [
    ...tmpfs(path, DIRECTORY_BYTES, 0o755),
    ...DEVICES.flatMap((name) => ["--dev-bind", `/dev/${name}`, `${path}/${name}`]),
    ...Object.entries(DEVICE_LINKS).flatMap(([name, target]) => ["--symlink", target, `${path}/${name}`]),
    ...tmpfs(`${path}/shm`, sharedMemory, 0o1777),
    ...option("--remount-ro", path),
  ];
}

function tmpfs(path: string, size: number, mode: number): string[] {
  return ["--perms", mode.toString(8).padStart(4, "0"), "--size", `${size}`, "--tmpfs", path];
}

function fileDescriptor({ mounts }: Layout, mount: Mount, descriptors: readonly number[]): number {
  return descriptors[mounts.filter(({ kind }) => kind === "file").indexOf(mount)] ?? -1;
}
